//! What no schema can say of a project that its schema refuses: the same rules
//! as for others, on the parts that are not damaged.

use serde::de::DeserializeOwned;

use super::convert;
use super::written::{BlockDevice, Component, Distribution};
use crate::damage::Damage;
use crate::yaml::Node;
use crate::{Problems, Spanned};

/// Reports what is wrong with the sound parts of `tree`.
pub(super) fn judge(tree: &Node, problems: &mut Problems) {
    let damage = &Damage::of(problems);
    let recipe = tree.member("recipe");
    let member = |name: &str| recipe.and_then(|recipe| recipe.member(name));
    let setting = |name: &str| tree.member("goldsmith").and_then(|it| it.member(name));
    let digest = setting("parentImageSha256");
    let image = member("parentImage").and_then(|node| damage.read::<Spanned<String>>(node));
    let parent = match (image, digest, digest.and_then(|node| damage.read(node))) {
        (Some(image), None, _) => convert::parent(&image, None, problems),
        (Some(image), Some(_), Some(digest)) => convert::parent(&image, Some(&digest), problems),
        // Whether the image needs one cannot be told.
        (Some(_), Some(_), None) | (None, _, _) => None,
    };
    let address = |name| setting(name).map_or(Some(None), |node| damage.read(node).map(Some));
    if let (Some(archive), Some(security)) = (address("mirror"), address("securityMirror")) {
        let _mirror = convert::mirror(archive, security, parent.as_ref(), problems);
    }
    let components: Vec<Component> = items(member("components"), damage);
    let _components = convert::components(&components, problems);
    let devices: Vec<Spanned<BlockDevice>> = items(member("blockDeviceMappings"), damage);
    let _devices = convert::block_devices(devices, problems);
    let folder = member("workingDirectory").and_then(|node| damage.read(node));
    let _folder = convert::working_directory(folder, problems);
    let types = tree.member("infrastructureConfiguration");
    let types: Vec<Spanned<String>> =
        items(types.and_then(|it| it.member("instanceTypes")), damage);
    let _types = convert::instance_types(&types, problems);
    let distributions: Vec<Distribution> = items(tree.member("distributions"), damage);
    let name = member("name").and_then(|node| damage.read::<Spanned<String>>(node));
    let _distributions = convert::distributions(Some(distributions), name.as_ref(), problems);
}

/// Returns the items of a list that are sound.
fn items<T: DeserializeOwned>(list: Option<&Node>, damage: &Damage) -> Vec<T> {
    let items = list.map_or(&[][..], Node::items).iter();
    items.filter_map(|item| damage.read(item)).collect()
}
