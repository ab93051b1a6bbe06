//! Makes or imports the operating system a recipe starts from.
