//! The step actions: where they may be used, for how long, and what they take and give (reference §3.5).

use super::WorkflowStage;

/// A step action.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) name: &'static str,
    stages: Stages,
    /// The timeout when none is given, in seconds.
    pub(super) timeout: u32,
    /// The longest timeout, in seconds.
    pub(super) longest: u32,
    /// The inputs it cannot do without.
    pub(super) required: &'static [&'static str],
    /// The inputs it may have besides.
    pub(super) optional: &'static [&'static str],
    /// What later steps may use.
    pub(super) outputs: &'static [&'static str],
}

#[derive(Debug, Clone, Copy)]
enum Stages {
    All,
    BuildAndTest,
    Test,
    Distribution,
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
/// A day, in seconds.
pub(super) const DAY: u32 = 24 * HOUR;

const INSTANCE: &[&str] = &["instanceId"];
const COMMAND: &[&str] = &["runCommandId", "status", "output"];

/// The actions by name.
pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "ApplyImageConfigurations",
        stages: Stages::Distribution,
        timeout: 6 * HOUR,
        longest: 12 * HOUR,
        required: &["distributedImages"],
        optional: &["configurations"],
        outputs: &["configuredImages"],
    },
    Action { longest: 12 * HOUR, ..on_instance("BootstrapInstanceForContainer", HOUR, COMMAND) },
    Action {
        longest: 12 * HOUR,
        ..on_instance("CollectImageMetadata", 30 * MINUTE, &["osVersion", "associationId"])
    },
    Action {
        stages: Stages::Test,
        longest: 12 * HOUR,
        ..on_instance("CollectImageScanFindings", 2 * HOUR, COMMAND)
    },
    Action { longest: 3 * DAY, ..on_instance("CreateImage", 12 * HOUR, &["imageId"]) },
    Action {
        longest: 12 * HOUR,
        ..on_instance("CreateImageFromIso", 12 * HOUR, &["amiName", "snapshotId", "architecture"])
    },
    Action {
        stages: Stages::Distribution,
        longest: 12 * HOUR,
        ..on_instance(
            "DistributeContainerImage",
            2 * HOUR,
            &["status", "succeededRegions", "failedRegions"],
        )
    },
    Action {
        name: "DistributeImage",
        stages: Stages::Distribution,
        timeout: 6 * HOUR,
        longest: 12 * HOUR,
        required: &[],
        optional: &["distributions"],
        outputs: &["distributedImages"],
    },
    Action {
        stages: Stages::BuildAndTest,
        longest: DAY,
        ..on_instance("ExecuteComponents", 12 * HOUR, COMMAND)
    },
    Action {
        name: "ExecuteStateMachine",
        stages: Stages::All,
        timeout: 6 * HOUR,
        longest: DAY,
        required: &["stateMachineArn"],
        optional: &["input"],
        outputs: &["executionArn", "output"],
    },
    Action {
        name: "LaunchInstance",
        stages: Stages::All,
        timeout: 75 * MINUTE,
        longest: 12 * HOUR,
        required: &["waitFor"],
        optional: &["healthCheck", "imageIdOverride", "instanceTypesOverride"],
        outputs: INSTANCE,
    },
    Action {
        name: "ModifyImageAttributes",
        stages: Stages::Distribution,
        timeout: 2 * HOUR,
        longest: 3 * HOUR,
        required: &["distributedImages"],
        optional: &["attributes"],
        outputs: &["modifiedImages"],
    },
    Action {
        name: "RegisterImage",
        stages: Stages::All,
        timeout: 9 * HOUR,
        longest: 12 * HOUR,
        required: &[],
        optional: &[
            "architecture",
            "blockDeviceMapping",
            "bootMode",
            "description",
            "enaSupport",
            "imageLocation",
            "imdsSupport",
            "includeSnapshotTags",
            "kernelId",
            "ramdiskId",
            "rootDeviceName",
            "sriovNetSupport",
            "tpmSupport",
            "uefiData",
            "virtualizationType",
        ],
        outputs: &["imageId"],
    },
    Action {
        name: "RunCommand",
        stages: Stages::All,
        timeout: 12 * HOUR,
        longest: 12 * HOUR,
        required: &["instanceId", "documentName"],
        optional: &["parameters", "documentVersion"],
        outputs: COMMAND,
    },
    Action { longest: 12 * HOUR, ..on_instance("RunSysPrep", HOUR, COMMAND) },
    Action { longest: 12 * HOUR, ..on_instance("SanitizeInstance", HOUR, COMMAND) },
    Action {
        longest: 12 * HOUR,
        optional: &["waitForTermination"],
        ..on_instance("TerminateInstance", 30 * MINUTE, &[])
    },
    Action {
        name: "WaitForAction",
        stages: Stages::All,
        timeout: 3 * DAY,
        longest: 7 * DAY,
        required: &[],
        optional: &["snsTopicArn", "lambdaFunctionName", "payload"],
        outputs: &["action", "reason"],
    },
    Action { longest: 3 * HOUR, ..on_instance("WaitForSSMAgent", HOUR, &["status"]) },
];

/// Returns the action `name`.
pub(super) fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

impl Action {
    /// Returns whether workflows of `stage` may use it.
    pub(super) fn is_for(&self, stage: WorkflowStage) -> bool {
        match self.stages {
            Stages::All => true,
            Stages::BuildAndTest => stage != WorkflowStage::Distribution,
            Stages::Test => stage == WorkflowStage::Test,
            Stages::Distribution => stage == WorkflowStage::Distribution,
        }
    }

    /// Returns every input it may have.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}

/// Returns an action of any stage that needs an instance and nothing else.
const fn on_instance(name: &'static str, timeout: u32, outputs: &'static [&'static str]) -> Action {
    Action {
        name,
        stages: Stages::All,
        timeout,
        longest: timeout,
        required: INSTANCE,
        optional: &[],
        outputs,
    }
}
