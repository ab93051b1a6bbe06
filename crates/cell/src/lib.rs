//! Processes in namespaces of their own, and the trees they own.
