//! Volumes of instances (reference §1.10): what EC2 would refuse of a mapping when it launches.

use std::collections::HashSet;

use wire::imagebuilder::{
    EbsInstanceBlockDeviceSpecification, EbsVolumeType, Error, InstanceBlockDeviceMapping,
};

use crate::imagebuilder::error::{combination, invalid};

/// Fails if a mapping in `parameter` contradicts itself or another.
pub(in crate::imagebuilder) fn check_devices(
    parameter: &str,
    mappings: Option<&Vec<InstanceBlockDeviceMapping>>,
) -> Result<(), Error> {
    let mut names = HashSet::new();
    for (index, mapping) in mappings.into_iter().flatten().enumerate() {
        let at = format!("{parameter}[{index}]");
        let Some(name) = &mapping.device_name else {
            return Err(invalid(&format!("{at}.deviceName"), "It must not be null."));
        };
        if !names.insert(name) {
            return Err(invalid(&format!("{at}.deviceName"), format!("'{name}' is there twice.")));
        }
        let given =
            [mapping.ebs.is_some(), mapping.virtual_name.is_some(), mapping.no_device.is_some()];
        if given.into_iter().filter(|is_given| *is_given).count() != 1 {
            return Err(combination(format!(
                "Exactly one of '{at}.ebs', '{at}.virtualName' and '{at}.noDevice' must be given."
            )));
        }
        if let Some(ebs) = &mapping.ebs {
            check_volume(&format!("{at}.ebs"), ebs)?;
        }
    }
    Ok(())
}

fn check_volume(at: &str, ebs: &EbsInstanceBlockDeviceSpecification) -> Result<(), Error> {
    use EbsVolumeType::{Gp2, Gp3, Io1, Io2, Sc1, St1, Standard};
    let r#type = ebs.volume_type.unwrap_or(Gp2);
    match (r#type, ebs.iops) {
        (Io1 | Io2, None) => {
            return Err(combination(format!("Volumes of type {type} need '{at}.iops'.")));
        }
        (Standard | Gp2 | Sc1 | St1, Some(_)) => {
            return Err(combination(format!("Volumes of type {type} cannot have '{at}.iops'.")));
        }
        (Gp3 | Io1 | Io2, _) | (Standard | Gp2 | Sc1 | St1, None) => (),
    }
    if ebs.throughput.is_some() && r#type != Gp3 {
        return Err(combination(format!("Volumes of type {type} cannot have '{at}.throughput'.")));
    }
    if ebs.kms_key_id.is_some() && ebs.encrypted == Some(false) {
        return Err(combination(format!(
            "'{at}.kmsKeyId' cannot be given for a volume that is not to be encrypted."
        )));
    }
    let (least, most) = match r#type {
        Gp2 | Gp3 => (1, 16_000),
        Io1 | Io2 => (4, 16_000),
        Sc1 | St1 => (125, 16_000),
        Standard => (1, 1024),
    };
    match ebs.volume_size {
        Some(size) if !(least..=most).contains(&size) => {
            let rule = format!("Volumes of type {type} have {least} to {most} GiB.");
            Err(invalid(&format!("{at}.volumeSize"), rule))
        }
        Some(_) | None => Ok(()),
    }
}
