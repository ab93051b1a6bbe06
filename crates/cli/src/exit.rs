//! What the exit status of the command means.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// Something went wrong that no other variant names.
    Other,
    /// A project, a document or an argument is wrong.
    Input,
    /// A component's build or validate phase failed.
    Component,
    /// A test failed, or the image did not boot.
    Test,
    /// There is no such image, AMI, account, key or parameter.
    NotFound,
    /// This machine lacks something.
    Lacking,
    /// Somebody cancelled it.
    Cancelled,
    /// A component document wants this machine restarted, then the same again.
    Restart,
}

impl Exit {
    /// Every exit, in the order of the codes.
    pub(crate) const ALL: [Self; 9] = [
        Self::Done,
        Self::Other,
        Self::Input,
        Self::Component,
        Self::Test,
        Self::NotFound,
        Self::Lacking,
        Self::Cancelled,
        Self::Restart,
    ];

    /// Returns the exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Other => 1,
            Self::Input => 2,
            Self::Component => 3,
            Self::Test => 4,
            Self::NotFound => 5,
            Self::Lacking => 6,
            // As a shell tells of a process that SIGINT ended.
            Self::Cancelled => 130,
            // As awstoe and the Systems Manager's agent agreed on.
            Self::Restart => 194,
        }
    }

    /// Returns what the code means, for people.
    fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Other => "something else went wrong",
            Self::Input => "wrong input: the project, a document or an argument",
            Self::Component => "a component failed",
            Self::Test => "a test failed",
            Self::NotFound => "there is no such image, AMI, account, key or parameter",
            Self::Lacking => "this machine lacks something, see `goldsmith doctor`",
            Self::Cancelled => "cancelled",
            Self::Restart => "a document asks for a restart of this machine",
        }
    }

    /// Returns the section of the help that lists all codes.
    pub(crate) fn help() -> String {
        let rows = Self::ALL.map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_codes_are_fixed() {
        expect![[r#"
            Exit codes:
                0  done
                1  something else went wrong
                2  wrong input: the project, a document or an argument
                3  a component failed
                4  a test failed
                5  there is no such image, AMI, account, key or parameter
                6  this machine lacks something, see `goldsmith doctor`
              130  cancelled
              194  a document asks for a restart of this machine"#]]
        .assert_eq(&Exit::help());
    }
}
