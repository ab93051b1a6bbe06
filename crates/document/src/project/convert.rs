//! From what is written to the model, with the rules no schema can say.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

use model::{
    AmiDistribution, BlockDevice, ComponentUse, Components, Distributions, Infrastructure,
    InstanceType, Mirror, NameTemplate, ParentImage, ParseParentError, Recipe, Tags, Template,
    Tests,
};
use name::{Digest, Region};

use super::{ComponentPlace, Places, Project, written};
use crate::{Problem, Problems, Span, Spanned};

/// Returns the project, or `None` if it cannot be made; why is in `problems`.
///
/// Every part is converted even if another failed, so that all problems show.
pub(super) fn convert(document: written::Document, problems: &mut Problems) -> Option<Project> {
    let written::Document { recipe: written_recipe, distributions: written_distributions, .. } =
        document;
    let written::Goldsmith {
        mirror: archive,
        security_mirror,
        parent_image_sha256,
        source_date_epoch,
    } = document.goldsmith;
    let places = Places {
        parent: written_recipe.parent_image.span,
        components: written_recipe.components.iter().map(place).collect(),
    };
    let name = written_recipe.name.clone();
    let recipe = recipe(written_recipe, parent_image_sha256.as_ref(), problems);
    let infrastructure = infrastructure(document.infrastructure_configuration, problems);
    let distributions = distributions(written_distributions, Some(&name), problems);
    let mirror =
        mirror(archive, security_mirror, recipe.as_ref().map(|recipe| &recipe.parent), problems);
    Some(Project {
        recipe: recipe?,
        infrastructure: infrastructure?,
        tests: tests(&document.image_tests_configuration),
        distributions: distributions?,
        mirror,
        source_date_epoch,
        places,
    })
}

fn place(component: &written::Component) -> ComponentPlace {
    let parameters = component.parameters.iter().map(|parameter| parameter.name.span);
    ComponentPlace { reference: component.component_arn.span, parameters: parameters.collect() }
}

fn recipe(
    recipe: written::Recipe,
    digest: Option<&Spanned<Digest>>,
    problems: &mut Problems,
) -> Option<Recipe> {
    let parent = parent(&recipe.parent_image, digest, problems);
    let components = components(&recipe.components, problems);
    let block_devices = block_devices(recipe.block_device_mappings, problems);
    let working_directory = working_directory(recipe.working_directory, problems);
    let place = recipe.name.span;
    let name = parse(&recipe.name, problems);
    let tags = tags(recipe.tags, place, problems);
    let ami_tags = templates(recipe.ami_tags, place, problems);
    Some(Recipe {
        name: name?,
        version: recipe.semantic_version,
        description: recipe.description,
        parent: parent?,
        components: components?,
        block_devices,
        working_directory,
        tags: tags?,
        ami_tags: ami_tags?,
    })
}

pub(super) fn parent(
    written: &Spanned<String>,
    digest: Option<&Spanned<Digest>>,
    problems: &mut Problems,
) -> Option<ParentImage> {
    let error = match ParentImage::parse(written, digest.map(|digest| digest.value)) {
        Ok(parent) => return Some(parent),
        Err(error) => error,
    };
    let (span, help) = match &error {
        ParseParentError::NoDigest(_) => {
            let help = "write it as `parentImageSha256` under `goldsmith`";
            (written.span, Some(help.to_owned()))
        }
        ParseParentError::NeedlessDigest(_) => {
            let span = digest.map_or(written.span, |digest| digest.span);
            (span, Some("remove `parentImageSha256`".to_owned()))
        }
        ParseParentError::NotAnImage(_)
        | ParseParentError::Unsupported { .. }
        | ParseParentError::BadForm(_) => (written.span, None),
    };
    problems.push(Problem { help, ..Problem::error("parent-image", span, error.to_string()) });
    None
}

pub(super) fn mirror(
    archive: Option<Spanned<String>>,
    security: Option<Spanned<String>>,
    parent: Option<&ParentImage>,
    problems: &mut Problems,
) -> Option<Mirror> {
    let Some(archive) = archive else {
        if let Some(security) = security {
            let message = "`securityMirror` belongs to a `mirror`, and there is none";
            problems.push(
                Problem::error("security-mirror", security.span, message)
                    .help("write the archive of releases as `mirror`"),
            );
        }
        return None;
    };
    if security.is_none() && parent.is_some_and(ParentImage::is_managed) {
        let message = "the base gets no security fixes: of this mirror no archive of them is known";
        problems.push(
            Problem::warning("security-mirror", archive.span, message)
                .help("write its address as `securityMirror`"),
        );
    }
    Some(Mirror { archive: archive.value, security: security.map(|security| security.value) })
}

pub(super) fn components(
    written: &[written::Component],
    problems: &mut Problems,
) -> Option<Components> {
    let mut uses: Vec<ComponentUse> = Vec::new();
    for written::Component { component_arn, parameters } in written {
        let reference = parse(component_arn, problems)?;
        if uses.iter().any(|used| used.reference == reference) {
            let message = format!("component `{reference}` is there twice");
            problems.push(
                Problem::error("duplicate-component", component_arn.span, message)
                    .help("a recipe applies each component once"),
            );
            continue;
        }
        let mut values: Vec<(String, Vec<String>)> = Vec::new();
        for written::Parameter { name, value } in parameters {
            if values.iter().any(|(known, _)| *known == name.value) {
                let message = format!("parameter `{}` is given twice", name.value);
                problems.push(Problem::error("duplicate-parameter", name.span, message));
            }
            values.push((name.value.clone(), value.clone()));
        }
        uses.push(ComponentUse { reference, parameters: values });
    }
    Components::new(uses).ok()
}

pub(super) fn block_devices(
    written: Vec<Spanned<written::BlockDevice>>,
    problems: &mut Problems,
) -> Vec<BlockDevice> {
    if let Some(second) = written.get(1) {
        let message = "a second volume is not supported yet: images have one";
        problems.push(Problem::error("unsupported", second.span, message));
    }
    let devices = written.into_iter().map(|device| {
        let written::BlockDevice { device_name, ebs, .. } = device.value;
        if let Some(Spanned { value: true, span }) = ebs.encrypted {
            let message = "`encrypted` is not supported yet: volumes are not encrypted";
            problems.push(Problem::error("unsupported", span, message));
        }
        BlockDevice { name: device_name, gib: ebs.volume_size }
    });
    devices.collect()
}

pub(super) fn working_directory(
    written: Option<Spanned<String>>,
    problems: &mut Problems,
) -> String {
    let Some(Spanned { value, span }) = written else { return "/tmp".to_owned() };
    if !value.starts_with('/') || value.split('/').any(|segment| segment == "..") {
        let message = format!("`{value}` is not a folder in the image");
        let help = "write an absolute path without `..`";
        problems.push(Problem::error("working-directory", span, message).help(help));
    }
    value
}

fn infrastructure(
    written: written::Infrastructure,
    problems: &mut Problems,
) -> Option<Infrastructure> {
    let place = written.instance_types.first().map(|name| name.span).unwrap_or_default();
    let types = instance_types(&written.instance_types, problems)?;
    let resource_tags = tags(written.resource_tags, place, problems)?;
    let terminate = written.terminate_instance_on_failure.unwrap_or(true);
    Some(Infrastructure::new(types, terminate, resource_tags))
}

pub(super) fn instance_types(
    written: &[Spanned<String>],
    problems: &mut Problems,
) -> Option<Vec<InstanceType>> {
    let mut types = Vec::new();
    for name in written {
        let instance_type: InstanceType = parse(name, problems)?;
        if instance_type.architecture() != model::Architecture::X86_64 {
            let architecture = instance_type.architecture();
            let message = format!("`{}` is not supported yet: it is {architecture}", name.value);
            problems.push(Problem::error("unsupported", name.span, message));
        }
        types.push(instance_type);
    }
    Some(types)
}

fn tests(written: &written::Tests) -> Tests {
    let default = Tests::default();
    Tests {
        enabled: written.image_tests_enabled.unwrap_or(default.enabled),
        timeout_minutes: written.timeout_minutes.unwrap_or(default.timeout_minutes),
    }
}

pub(super) fn distributions(
    written: Option<Vec<written::Distribution>>,
    recipe: Option<&Spanned<String>>,
    problems: &mut Problems,
) -> Option<Distributions> {
    let written = match written {
        Some(written) => written,
        None => {
            let region: Region = "local-1".parse().expect("it is a region because a test says so");
            let ami = AmiDistribution::default();
            return Distributions::new(vec![model::Distribution { region, ami }]).ok();
        }
    };
    let mut distributions: Vec<model::Distribution> = Vec::new();
    for written::Distribution { region, ami_distribution_configuration: ami, .. } in written {
        if distributions.iter().any(|known| known.region == region.value) {
            let message = format!("region `{}` is there twice", region.value);
            problems.push(Problem::error("duplicate-region", region.span, message));
            continue;
        }
        let ami = ami_distribution(ami, recipe, region.span, problems)?;
        distributions.push(model::Distribution { region: region.value, ami });
    }
    Distributions::new(distributions).ok()
}

fn ami_distribution(
    written: written::AmiDistribution,
    recipe: Option<&Spanned<String>>,
    place: Span,
    problems: &mut Problems,
) -> Option<AmiDistribution> {
    let name: Option<NameTemplate> = match &written.name {
        Some(name) => Some(parse(name, problems)?),
        None => None,
    };
    match (&name, &written.name) {
        (Some(template), Some(written)) if template.fixed().is_some() => {
            let message = "every build gives its AMI this name, and a name is free only once";
            let help =
                format!("append a variable: `{} {{{{ imagebuilder:buildDate }}}}`", written.value);
            problems.push(Problem::warning("fixed-name", written.span, message).help(help));
        }
        (Some(_), _) => {}
        (None, _) => {
            if let Some(recipe) = recipe
                && let Err(error) = NameTemplate::of_recipe(recipe)
            {
                let message = format!("AMIs cannot be named after the recipe: {error}");
                problems.push(Problem::error("ami-name", recipe.span, message));
            }
        }
    }
    let description = written.description.map(|text| text.parse::<Template>()).transpose().ok()?;
    let tags = templates(written.ami_tags, place, problems)?;
    Some(AmiDistribution { name, description, tags })
}

/// Parses a text that its format has accepted.
fn parse<T: FromStr<Err: Error>>(text: &Spanned<String>, problems: &mut Problems) -> Option<T> {
    keep(text.value.parse(), text.span, problems)
}

fn tags(written: Option<written::Tags>, place: Span, problems: &mut Problems) -> Option<Tags> {
    keep(Tags::new(written.unwrap_or_default()), place, problems)
}

fn templates(
    written: Option<written::Tags>,
    place: Span,
    problems: &mut Problems,
) -> Option<BTreeMap<String, Template>> {
    let templates = written.unwrap_or_default().into_iter();
    let templates = templates.map(|(name, value)| Ok((name, value.parse()?)));
    keep(templates.collect::<Result<_, model::TemplateError>>(), place, problems)
}

fn keep<T>(result: Result<T, impl fmt::Display>, span: Span, problems: &mut Problems) -> Option<T> {
    result.map_err(|error| problems.push(Problem::error("invalid", span, error.to_string()))).ok()
}
