//! The states that images pass through.

use std::fmt;

/// Where an image stands (reference §1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are Image Builder's own words")]
pub enum ImageState {
    Pending,
    Creating,
    Building,
    Testing,
    Distributing,
    Integrating,
    Available,
    Failed,
    Cancelled,
    Deprecated,
    Disabled,
    Deleted,
}

/// An image was to take a state it cannot take from where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an image that is {from} cannot become {to}")]
pub struct IllegalTransition {
    from: ImageState,
    to: ImageState,
}

impl ImageState {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Self::Pending,
        Self::Creating,
        Self::Building,
        Self::Testing,
        Self::Distributing,
        Self::Integrating,
        Self::Available,
        Self::Failed,
        Self::Cancelled,
        Self::Deprecated,
        Self::Disabled,
        Self::Deleted,
    ];

    /// Returns the API's word, as in `AVAILABLE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Creating => "CREATING",
            Self::Building => "BUILDING",
            Self::Testing => "TESTING",
            Self::Distributing => "DISTRIBUTING",
            Self::Integrating => "INTEGRATING",
            Self::Available => "AVAILABLE",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Deprecated => "DEPRECATED",
            Self::Disabled => "DISABLED",
            Self::Deleted => "DELETED",
        }
    }

    /// Returns whether a run still works on the image.
    pub fn is_in_progress(self) -> bool {
        match self {
            Self::Pending
            | Self::Creating
            | Self::Building
            | Self::Testing
            | Self::Distributing
            | Self::Integrating => true,
            Self::Available
            | Self::Failed
            | Self::Cancelled
            | Self::Deprecated
            | Self::Disabled
            | Self::Deleted => false,
        }
    }

    /// Returns `to`, if an image may go there from here.
    ///
    /// A run moves forward and may leave stages out, such as tests that are
    /// off; only it can fail or be cancelled. What ended can only be retired.
    pub fn advance(self, to: Self) -> Result<Self, IllegalTransition> {
        let legal = match to {
            Self::Pending => false,
            Self::Creating
            | Self::Building
            | Self::Testing
            | Self::Distributing
            | Self::Integrating => self.is_in_progress() && self < to,
            // Nothing is published that has not been through distribution.
            Self::Available => {
                matches!(
                    self,
                    Self::Distributing | Self::Integrating | Self::Deprecated | Self::Disabled
                )
            }
            Self::Failed | Self::Cancelled => self.is_in_progress(),
            Self::Deprecated | Self::Disabled => {
                self != to && matches!(self, Self::Available | Self::Deprecated | Self::Disabled)
            }
            Self::Deleted => !self.is_in_progress() && self != Self::Deleted,
        };
        if legal { Ok(to) } else { Err(IllegalTransition { from: self, to }) }
    }

    /// Returns `Pending`, if an image that stands here may be built once more.
    ///
    /// Apart from [`Self::advance`], so that no run that has ended goes on by itself.
    pub fn retry(self) -> Result<Self, IllegalTransition> {
        if matches!(self, Self::Failed | Self::Cancelled) {
            Ok(Self::Pending)
        } else {
            Err(IllegalTransition { from: self, to: Self::Pending })
        }
    }
}

impl fmt::Display for ImageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn images_move_only_along_these_ways() {
        let mut ways = String::new();
        for from in ImageState::ALL {
            let to = ImageState::ALL.into_iter().filter_map(|to| from.advance(to).ok());
            let to: Vec<&str> = to.map(ImageState::as_str).collect();
            ways += &format!("{from}: {}\n", to.join(" "));
        }
        expect![[r#"
            PENDING: CREATING BUILDING TESTING DISTRIBUTING INTEGRATING FAILED CANCELLED
            CREATING: BUILDING TESTING DISTRIBUTING INTEGRATING FAILED CANCELLED
            BUILDING: TESTING DISTRIBUTING INTEGRATING FAILED CANCELLED
            TESTING: DISTRIBUTING INTEGRATING FAILED CANCELLED
            DISTRIBUTING: INTEGRATING AVAILABLE FAILED CANCELLED
            INTEGRATING: AVAILABLE FAILED CANCELLED
            AVAILABLE: DEPRECATED DISABLED DELETED
            FAILED: DELETED
            CANCELLED: DELETED
            DEPRECATED: AVAILABLE DISABLED DELETED
            DISABLED: AVAILABLE DEPRECATED DELETED
            DELETED: 
        "#]]
        .assert_eq(&ways);
    }

    #[test]
    fn only_what_came_to_nothing_is_retried() {
        let states = ImageState::ALL.into_iter().filter(|state| state.retry().is_ok());
        assert_eq!(states.collect::<Vec<_>>(), [ImageState::Failed, ImageState::Cancelled]);
    }
}
