//! Carries runs out: launch, execute, create, test, publish.
