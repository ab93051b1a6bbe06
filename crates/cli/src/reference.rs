//! How people name an image or the run that made it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use model::ImageState;
use name::{AmiId, Arn, BuildVersion, Kind, Level, Owner, Region, RunId, VersionPattern};
use store::run::Run;
use store::{Db, StoreError, ami, run};

/// What the help says of an argument that names an image.
pub(crate) const FORMS: &str = "\
An image is named by its ARN, by name, version and build as in `web/1.0.0/3`, by \
`web/1.0.0` or `web` for the latest, by one of its AMI ids, or by the beginning of its run's id";

/// A name for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ImageReference {
    /// The newest of an image, within a pattern of versions.
    Newest { place: Option<Place>, image: String, versions: VersionPattern },
    /// One build.
    Build { place: Option<Place>, image: String, build: BuildVersion },
    /// The image that an AMI belongs to.
    Ami(AmiId),
    /// The image of the run whose id begins so.
    Run(String),
}

/// Whose an image is, and where its record is: what its ARN has besides its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    owner: Owner,
    region: Region,
}

impl Place {
    fn of(run: &Run) -> Self {
        Self { owner: Owner::Account(run.account.clone()), region: run.region.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.owner, self.region)
    }
}

/// A text names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not name an image: expected an ARN, `name`, `name/1.0.0`, `name/1.0.0/1`, \
     an AMI id or the beginning of a run's id"
)]
pub(crate) struct ParseReferenceError(String);

impl FromStr for ImageReference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = if text.starts_with("arn:") {
            text.parse().ok().and_then(|arn| Self::of_arn(&arn))
        } else if text.starts_with("ami-") {
            text.parse().ok().map(Self::Ami)
        } else if is_run_prefix(text) {
            Some(Self::Run(text.to_owned()))
        } else {
            of_path(text)
        };
        found.ok_or_else(|| ParseReferenceError(text.to_owned()))
    }
}

impl ImageReference {
    /// Returns what an ARN names, if that is an image.
    pub(crate) fn of_arn(arn: &Arn) -> Option<Self> {
        let image = arn.name().to_owned();
        let place = Some(Place { owner: arn.owner().clone(), region: arn.region().clone() });
        (arn.kind() == Kind::Image).then(|| match arn.level() {
            Level::Name => Self::Newest { place, image, versions: VersionPattern::Any },
            Level::Version(versions) => Self::Newest { place, image, versions },
            Level::Build(build) => Self::Build { place, image, build },
        })
    }
}

/// Says whether `text` begins as run ids do. An image of such a name is
/// named by its ARN.
fn is_run_prefix(text: &str) -> bool {
    text.strip_prefix("run-").is_some_and(|hex| {
        !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn of_path(text: &str) -> Option<ImageReference> {
    let (image, rest) = match text.split_once('/') {
        Some((image, rest)) => (image, Some(rest)),
        None => (text, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_ .".contains(c);
    if image.is_empty() || !image.chars().all(is_name) {
        return None;
    }
    let (place, image) = (None, name::segment(image));
    match rest {
        None => Some(ImageReference::Newest { place, image, versions: VersionPattern::Any }),
        Some(rest) if rest.contains('/') => {
            Some(ImageReference::Build { place, image, build: rest.parse().ok()? })
        }
        Some(rest) => Some(ImageReference::Newest { place, image, versions: rest.parse().ok()? }),
    }
}

/// Which images come into question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// All that were not deleted, or else those that were.
    All,
    /// Those that can be used: that are `AVAILABLE`, or have the AMI that was named though the
    /// image was forgotten.
    Published,
}

/// No image, or more than one, is meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error("there is no image `{0}`")]
    None(String),
    #[error("there is no AMI `{0}`")]
    NoAmi(String),
    #[error("the image {image} is {state}")]
    NotPublished { image: String, state: ImageState },
    #[error("`{prefix}` is the beginning of several run ids: {}", ids.join(", "))]
    Several { prefix: String, ids: Vec<String> },
    #[error("several images are called `{image}`: those of {}", places.join(", "))]
    Places { image: String, places: Vec<String> },
}

impl FindError {
    /// Returns what the user can do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::None(_) | Self::NoAmi(_) => "`goldsmith images` lists what there is",
            Self::NotPublished { .. } => "`goldsmith show` tells why",
            Self::Several { .. } => "give more of the id",
            Self::Places { .. } => "name it by its ARN, or by one of its AMI ids",
        }
    }
}

/// Returns the run of the image that is meant. Without a catalogue there is none.
pub(crate) async fn find(
    db: Option<&Db>,
    wanted: &ImageReference,
    among: Among,
) -> Result<Result<Run, FindError>, StoreError> {
    let Some(db) = db else { return Ok(Err(wanted.missing())) };
    let runs = run::list(db).await?;
    let id = match wanted {
        ImageReference::Ami(id) => {
            let known = ami::list(db).await?.into_iter().find(|entry| entry.ami.id == *id);
            match known {
                Some(entry) => Some(entry.run),
                None => return Ok(Err(wanted.missing())),
            }
        }
        ImageReference::Newest { .. } | ImageReference::Build { .. } | ImageReference::Run(_) => {
            None
        }
    };
    Ok(choose(runs, wanted, id, among))
}

impl ImageReference {
    fn missing(&self) -> FindError {
        match self {
            Self::Ami(id) => FindError::NoAmi(id.to_string()),
            Self::Newest { .. } | Self::Build { .. } | Self::Run(_) => FindError::None(self.text()),
        }
    }

    /// Returns what people say for it, without the place.
    fn text(&self) -> String {
        match self {
            Self::Newest { image, versions: VersionPattern::Any, .. } => image.clone(),
            Self::Newest { image, versions, .. } => format!("{image}/{versions}"),
            Self::Build { image, build, .. } => format!("{image}/{build}"),
            Self::Ami(id) => id.to_string(),
            Self::Run(prefix) => prefix.clone(),
        }
    }

    fn fits(&self, run: &Run, of_ami: Option<RunId>) -> bool {
        let is_there =
            |place: &Option<Place>| place.as_ref().is_none_or(|it| *it == Place::of(run));
        match self {
            Self::Newest { place, image, versions } => {
                is_there(place) && run.image == *image && versions.matches(run.build.version)
            }
            Self::Build { place, image, build } => {
                is_there(place) && run.image == *image && run.build == *build
            }
            Self::Ami(_) => Some(run.id) == of_ami,
            Self::Run(prefix) => run.id.to_string().starts_with(prefix.as_str()),
        }
    }
}

/// Chooses among `runs`, which are the newest first.
fn choose(
    runs: Vec<Run>,
    wanted: &ImageReference,
    of_ami: Option<RunId>,
    among: Among,
) -> Result<Run, FindError> {
    let mut fitting: Vec<Run> = runs.into_iter().filter(|run| wanted.fits(run, of_ami)).collect();
    if let (ImageReference::Run(prefix), [_, _, ..]) = (wanted, &fitting[..]) {
        let ids = fitting.iter().take(4).map(|run| run.id.to_string()).collect();
        return Err(FindError::Several { prefix: prefix.clone(), ids });
    }
    let is_ami = matches!(wanted, ImageReference::Ami(_));
    let suits = |run: &Run| match among {
        Among::All => run.state != ImageState::Deleted,
        Among::Published => {
            run.state == ImageState::Available || is_ami && run.state == ImageState::Deleted
        }
    };
    let places: BTreeSet<Place> = fitting.iter().filter(|run| suits(run)).map(Place::of).collect();
    if places.len() > 1 && !matches!(wanted, ImageReference::Run(_)) {
        let places = places.iter().map(Place::to_string).collect();
        return Err(FindError::Places { image: wanted.text(), places });
    }
    match (fitting.iter().position(suits), among) {
        (Some(n), _) => Ok(fitting.swap_remove(n)),
        (None, _) if fitting.is_empty() => Err(wanted.missing()),
        (None, Among::All) => Ok(fitting.swap_remove(0)),
        (None, Among::Published) => {
            let run = &fitting[0];
            Err(FindError::NotPublished { image: title(run), state: run.state })
        }
    }
}

/// Returns an image as people write it: `web/1.0.0/3`.
pub(crate) fn title(run: &Run) -> String {
    format!("{}/{}", run.image, run.build)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(text: &str) -> BuildVersion {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(text: &str, expected: Option<ImageReference>) {
        assert_eq!(text.parse().ok(), expected, "{text}");
    }

    fn here() -> Option<Place> {
        let owner = Owner::Account("000000000000".parse().unwrap());
        Some(Place { owner, region: "local-1".parse().unwrap() })
    }

    fn newest_of(place: Option<Place>, versions: &str) -> Option<ImageReference> {
        let (image, versions) = ("web".to_owned(), versions.parse().unwrap());
        Some(ImageReference::Newest { place, image, versions })
    }

    fn newest(versions: &str) -> Option<ImageReference> {
        newest_of(None, versions)
    }

    fn build_of(place: Option<Place>) -> Option<ImageReference> {
        Some(ImageReference::Build { place, image: "web".to_owned(), build: build("1.0.0/3") })
    }

    #[test]
    fn images_have_many_names() {
        check("web", newest("x.x.x"));
        check("Web", newest("x.x.x"));
        check("web/1.0.0", newest("1.0.0"));
        check("web/1.x.x", newest("1.x.x"));
        check("web/1.0.0/3", build_of(None));
        let arn = "arn:aws:imagebuilder:local-1:000000000000:image/web";
        check(arn, newest_of(here(), "x.x.x"));
        check(&format!("{arn}/1.x.x"), newest_of(here(), "1.x.x"));
        check(&format!("{arn}/1.0.0/3"), build_of(here()));
        let ami = "ami-00123456789abcdef";
        check(ami, Some(ImageReference::Ami(ami.parse().unwrap())));
        check("run-0", Some(ImageReference::Run("run-0".to_owned())));
        check("run-0abc", Some(ImageReference::Run("run-0abc".to_owned())));
        let (place, image) = (None, "run-book".to_owned());
        let book = ImageReference::Newest { place, image, versions: VersionPattern::Any };
        check("run-book", Some(book));
    }

    #[test]
    fn other_texts_name_none() {
        let component = "arn:aws:imagebuilder:local-1:000000000000:component/web/1.0.0/1";
        for text in
            ["", "/", "web/", "web/1", "web/1.0.0/", "web/1.0.0/3/4", "ami-1", "arn:aws", component]
        {
            check(text, None);
        }
    }

    fn run(n: u8, version: &str, state: ImageState) -> Run {
        Run {
            id: RunId::from_random([n; 8]),
            account: "000000000000".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            image: "web".to_owned(),
            build: build(version),
            state,
            reason: String::new(),
            project: String::new(),
            recipe: serde_json::Value::Null,
            work: String::new(),
            owner: "owner".to_owned(),
            started_at: 0,
            ended_at: None,
        }
    }

    #[track_caller]
    fn chosen(text: &str, among: Among) -> String {
        let runs = vec![
            run(0x15, "1.0.0/5", ImageState::Failed),
            run(0x14, "1.0.0/4", ImageState::Available),
            run(0x23, "1.0.0/3", ImageState::Deleted),
            run(0x22, "0.9.0/1", ImageState::Deleted),
        ];
        let wanted: ImageReference = text.parse().unwrap();
        match choose(runs, &wanted, Some(RunId::from_random([0x14; 8])), among) {
            Ok(run) => title(&run),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_newest_that_suits_is_chosen() {
        assert_eq!(chosen("web", Among::All), "web/1.0.0/5");
        assert_eq!(chosen("web", Among::Published), "web/1.0.0/4");
        assert_eq!(chosen("web/0.9.0", Among::All), "web/0.9.0/1");
        assert_eq!(chosen("web/0.9.0", Among::Published), "the image web/0.9.0/1 is DELETED");
        assert_eq!(chosen("web/1.0.0/5", Among::Published), "the image web/1.0.0/5 is FAILED");
        assert_eq!(chosen("web/2.0.0", Among::All), "there is no image `web/2.0.0`");
        assert_eq!(chosen("mail", Among::All), "there is no image `mail`");
        assert_eq!(chosen("ami-00123456789abcdef", Among::Published), "web/1.0.0/4");
        assert_eq!(chosen("run-023", Among::All), "web/1.0.0/3");
        assert_eq!(
            chosen("run-01", Among::All),
            "`run-01` is the beginning of several run ids: run-01515151515151515, run-01414141414141414"
        );
    }

    /// Two accounts, and one of them in two regions, may build images of one name.
    #[test]
    fn an_arn_names_the_image_of_its_own_place() {
        let there = |n: u8, account: &str, region: &str, state| {
            let (account, region) = (account.parse().unwrap(), region.parse().unwrap());
            Run { account, region, ..run(n, "1.0.0/1", state) }
        };
        let [ours, theirs] = ["000000000000", "111111111111"];
        let runs = [
            there(1, theirs, "local-1", ImageState::Available),
            there(2, ours, "local-1", ImageState::Available),
            there(3, ours, "us-east-1", ImageState::Failed),
        ];
        let check = |text: &str, among: Among, expected: Result<u8, &str>| {
            let found = choose(runs.to_vec(), &text.parse().unwrap(), None, among);
            let found = found.map(|run| run.id).map_err(|error| error.to_string());
            let expected = expected.map(|n| RunId::from_random([n; 8])).map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        };
        let arn = |place: &str| format!("arn:aws:imagebuilder:{place}:image/web/1.0.0/1");
        check(&arn("local-1:111111111111"), Among::All, Ok(1));
        check(&arn("local-1:000000000000"), Among::All, Ok(2));
        check(&arn("us-east-1:000000000000"), Among::All, Ok(3));
        let nobodys = "there is no image `web/1.0.0/1`";
        check(&arn("us-east-1:111111111111"), Among::All, Err(nobodys));
        let several = "several images are called `web`: those of 000000000000 in local-1, \
                       000000000000 in us-east-1, 111111111111 in local-1";
        check("web", Among::All, Err(several));
        let published = "several images are called `web/1.0.0/1`: those of 000000000000 in local-1, \
                         111111111111 in local-1";
        check("web/1.0.0/1", Among::Published, Err(published));
    }

    #[test]
    fn the_amis_of_a_forgotten_image_can_be_used() {
        let runs = || vec![run(1, "1.0.0/1", ImageState::Deleted)];
        let id = RunId::from_random([1; 8]);
        let ami = "ami-00123456789abcdef".parse().unwrap();
        assert!(choose(runs(), &ami, Some(id), Among::Published).is_ok());
        let image = "web/1.0.0/1".parse().unwrap();
        assert!(choose(runs(), &image, None, Among::Published).is_err());
    }
}
