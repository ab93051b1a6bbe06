//! The words that steps are recorded in, Image Builder's own (reference §1.7).

use std::fmt;
use std::str::FromStr;

/// A text is none of the words it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is none of {}", known.join(", "))]
pub struct ParseWordError {
    text: String,
    known: Vec<&'static str>,
}

impl ParseWordError {
    pub(crate) fn new(text: String, known: Vec<&'static str>) -> Self {
        Self { text, known }
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            /// Returns the word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl FromStr for $type {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(ParseWordError::new(text.to_owned(), vec![$($word),*])),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// Where a step is.
    StepState {
        /// It runs, or ran when its process died.
        Running = "RUNNING",
        /// It did what it should.
        Completed = "COMPLETED",
        /// It failed.
        Failed = "FAILED",
        /// Its condition said no.
        Skipped = "SKIPPED",
        /// Its run ended before it did.
        Cancelled = "CANCELLED",
    }

    /// Who asked for an image.
    BuildType {
        /// A user, at once.
        UserInitiated = "USER_INITIATED",
        /// A pipeline, at its time.
        Scheduled = "SCHEDULED",
        /// Nobody built it: it came as a disk.
        Import = "IMPORT",
    }

    /// What EC2 calls the state of an AMI.
    AmiStatus {
        /// It can be launched.
        Available = "available",
        /// It cannot, until it is enabled again.
        Disabled = "disabled",
    }

    /// How a lifecycle execution, or what it does to one resource, stands.
    LifecycleState {
        /// It goes on.
        InProgress = "IN_PROGRESS",
        /// It did what it should.
        Success = "SUCCESS",
        /// It failed.
        Failed = "FAILED",
        /// There was a reason to leave the resource alone.
        Skipped = "SKIPPED",
    }

    /// What a lifecycle execution does to a resource.
    LifecycleAction {
        /// It can be used again.
        Available = "AVAILABLE",
        /// It goes.
        Delete = "DELETE",
        /// It is told to be out of date.
        Deprecate = "DEPRECATE",
        /// It cannot be used.
        Disable = "DISABLE",
    }

    /// Which of a run's workflows a step belongs to.
    Workflow {
        /// Makes the image.
        Build = "build",
        /// Tests it.
        Test = "test",
        /// Publishes it.
        Distribution = "distribution",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_refused_with_the_known_ones() {
        assert_eq!("RUNNING".parse(), Ok(StepState::Running));
        assert_eq!(
            "install".parse::<Workflow>().unwrap_err().to_string(),
            "`install` is none of build, test, distribution"
        );
    }
}
