//! How packages are installed on this machine: apt's command, with the release
//! that they must come from.

use std::fs;

/// Packages that must be of one source with [`TOOLS`], or apt refuses them.
const OF_ONE_SOURCE: [&str; 1] = ["qemu-system-x86"];

/// The package whose version tells which source that is.
const TOOLS: &str = "qemu-utils";

/// What decides how packages are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Apt {
    /// The release that QEMU's tools came from, if it is not the machine's own.
    backports: Option<String>,
    /// Whether that release is among apt's sources.
    is_source: bool,
}

impl Apt {
    /// Returns this machine's.
    pub(crate) fn of_this_machine() -> Self {
        // On a machine without dpkg the usual command is the best there is.
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let lists = fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
        let lists: Vec<_> = lists.filter_map(|list| list.file_name().into_string().ok()).collect();
        Self::new(&read("/var/lib/dpkg/status"), &read("/etc/os-release"), &lists)
    }

    /// Reads off what dpkg knows, the machine's release, and the names of the
    /// lists that apt has of its sources.
    fn new(status: &str, os_release: &str, lists: &[String]) -> Self {
        let backports = backports(status, os_release);
        let is_source = backports.as_ref().is_some_and(|release| {
            let part = format!("_dists_{release}_");
            lists.iter().any(|list| list.contains(&part))
        });
        Self { backports, is_source }
    }

    /// Returns the commands that install `packages`, to be run by root; those
    /// of Debian's backports last. Where these are no source of apt's, which
    /// then refuses their name, a script of Goldsmith's source takes them from
    /// there for once.
    pub(crate) fn installation<'a>(
        &self,
        packages: impl IntoIterator<Item = &'a str>,
    ) -> Vec<String> {
        let mut packages: Vec<_> = packages.into_iter().collect();
        packages.sort_unstable();
        packages.dedup();
        let (backported, plain): (Vec<_>, Vec<_>) = packages
            .into_iter()
            .partition(|package| self.backports.is_some() && OF_ONE_SOURCE.contains(package));
        let release = self.backports.as_deref().unwrap_or_default();
        let plain = (!plain.is_empty()).then(|| format!("apt-get install {}", plain.join(" ")));
        let backported = (!backported.is_empty()).then(|| {
            let packages = backported.join(" ");
            if self.is_source {
                format!("apt-get install -t {release} {packages}")
            } else {
                format!("scripts/apt-install {packages} # in Goldsmith's source")
            }
        });
        plain.into_iter().chain(backported).collect()
    }
}

/// Reads the release off `/var/lib/dpkg/status` and `/etc/os-release`; `None`
/// if the tools are absent or of the machine's own release.
fn backports(status: &str, os_release: &str) -> Option<String> {
    let heading = format!("Package: {TOOLS}");
    let mut stanzas = status.split("\n\n");
    let tools = stanzas.find(|stanza| stanza.lines().any(|line| line == heading))?;
    let field = |name: &str| tools.lines().find_map(|line| line.strip_prefix(name));
    if field("Status: ")? != "install ok installed" || !field("Version: ")?.contains("~bpo") {
        return None;
    }
    let codename = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(format!("{}-backports", codename.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASE: &str = "ID=debian\nVERSION_CODENAME=bookworm\n";

    /// Returns what dpkg knows of a machine with these tools.
    fn status(state: &str, version: &str) -> String {
        format!(
            "Package: passt\nStatus: install ok installed\nVersion: 1~bpo12+1\n\n\
             Package: qemu-utils\nStatus: {state}\nVersion: {version}\nDescription: tools\n\n"
        )
    }

    #[test]
    fn an_emulator_comes_from_where_its_tools_came() {
        let packages = ["qemu-system-x86", "passt", "ovmf", "passt"];
        let backported = status("install ok installed", "1:10.0.2+ds-2+deb13u1~bpo12+1");
        let own = ["mirror.example_debian_dists_bookworm_InRelease".to_owned()];
        let both = ["mirror.example_debian_dists_bookworm-backports_InRelease".to_owned()];
        let special = "apt-get install -t bookworm-backports qemu-system-x86";
        let apt = Apt::new(&backported, RELEASE, &both);
        assert_eq!(apt.installation(packages), ["apt-get install ovmf passt", special]);
        assert_eq!(apt.installation(["qemu-system-x86"]), [special]);
        assert_eq!(apt.installation(["passt"]), ["apt-get install passt"]);
        let apt = Apt::new(&backported, RELEASE, &own);
        assert_eq!(
            apt.installation(packages),
            [
                "apt-get install ovmf passt",
                "scripts/apt-install qemu-system-x86 # in Goldsmith's source"
            ]
        );
        for (status, release) in [
            (status("install ok installed", "1:7.2+dfsg-7+deb12u18"), RELEASE),
            (status("deinstall ok config-files", "1:10.0.2~bpo12+1"), RELEASE),
            (backported, "ID=other\n"),
            (String::new(), RELEASE),
        ] {
            let apt = Apt::new(&status, release, &both);
            assert_eq!(apt.installation(packages), ["apt-get install ovmf passt qemu-system-x86"]);
        }
    }
}
