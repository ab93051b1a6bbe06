//! Project and component YAML: typed, spanned and linted.
