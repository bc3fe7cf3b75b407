//! Who may import whom: the layers of DESIGN.md, checked over `cargo metadata`.
//!
//! ```text
//!   abi <- core <- machine <- kernel            generator <- macros
//!    ^                                                         ^
//!    +---- libipc <- protocols <- kit <---- servers, personalities, userland
//!              ^----- drivers/kit <-------- servers/drivers
//!              ^----- rt <----------------- their main.rs only
//! ```

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::BTreeSet;

/// Returns what the package in `folder` may import of ours, or nothing where it may import all.
fn allowed(folder: &str) -> Option<&'static [&'static str]> {
    let parts: Vec<&str> = folder.split('/').collect();
    Some(match parts[..] {
        ["microkernel", "abi"] => &[],
        // The record service is in the benchmark's kernel only (feature `structures`).
        ["microkernel", "core"] => &["kamen-abi", "kamen-record"],
        ["microkernel", "x86_64"] => &["kamen-abi", "kamen-core"],
        ["microkernel"] => &["kamen-abi", "kamen-core", "kamen-machine"],
        ["libipc"] => &["kamen-abi", "kamen-macros"],
        ["libipc", "generator"] => &[],
        ["libipc", "macros"] => &["kamen-generator"],
        ["libipc", "protocols" | "rt"] => &["kamen-libipc"],
        ["libipc", "kit"] => &["kamen-libipc", "kamen-protocols"],
        // What drivers share, and the one place of theirs for `unsafe`.
        ["servers", "drivers", "kit"] => &["kamen-libipc"],
        ["servers", "drivers", ..] => {
            &["kamen-libipc", "kamen-protocols", "kamen-kit", "kamen-rt", "kamen-driver-kit"]
        }
        ["servers" | "personalities" | "userland", ..] => {
            &["kamen-libipc", "kamen-protocols", "kamen-kit", "kamen-rt"]
        }
        ["tests", ..] | ["xtask"] => return None,
        _ => panic!("{folder} has no place among the layers; give it one here"),
    })
}

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().expect("cargo reads the workspace")
}

fn folder<'a>(metadata: &Metadata, package: &'a Package) -> &'a str {
    let path = package.manifest_path.parent().expect("a manifest lies in a folder");
    path.strip_prefix(&metadata.workspace_root).expect("members lie in the workspace").as_str()
}

/// Returns whether two packages are parts of one personality.
fn is_of_one_family(metadata: &Metadata, package: &Package, other: &str) -> bool {
    let family = |package: &Package| -> Option<String> {
        let mut parts = folder(metadata, package).split('/');
        (parts.next()? == "personalities").then(|| parts.next().map(str::to_owned))?
    };
    let other = metadata.packages.iter().find(|package| package.name.as_str() == other);
    family(package).is_some() && family(package) == other.and_then(family)
}

#[test]
fn packages_import_only_what_their_layer_may() {
    let metadata = metadata();
    let ours: BTreeSet<&str> =
        metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for package in &metadata.packages {
        let Some(allowed) = allowed(folder(&metadata, package)) else { continue };
        for dependency in &package.dependencies {
            // Tests may import any lib.rs.
            let is_test = dependency.kind == DependencyKind::Development;
            let name = dependency.name.as_str();
            let is_allowed = allowed.contains(&name) || is_of_one_family(&metadata, package, name);
            if !is_test && ours.contains(name) && !is_allowed {
                faults.push(format!("{} imports {name}", package.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn programs_take_the_run_time_only_for_the_image() {
    let metadata = metadata();
    for package in &metadata.packages {
        let folder = folder(&metadata, package);
        for dependency in package.dependencies.iter().filter(|found| found.name == "kamen-rt") {
            assert!(
                dependency.optional || folder == "libipc/rt",
                "{}: kamen-rt must be optional, for the feature `image`",
                package.name
            );
        }
    }
}

#[test]
fn libraries_never_name_the_run_time() {
    let metadata = metadata();
    for package in metadata.packages.iter().filter(|package| package.name != "kamen-rt") {
        for target in package.targets.iter().filter(|target| target.is_lib()) {
            let source = std::fs::read_to_string(&target.src_path).expect("a target has a source");
            assert!(!source.contains("use kamen_rt"), "{} imports kamen_rt", target.src_path);
        }
    }
}

#[test]
fn guest_programs_are_built_for_the_image_only() {
    for package in metadata().packages {
        let has_feature = package.features.contains_key("image");
        for target in package.targets.iter().filter(|target| target.is_bin()) {
            let is_guest = target.required_features.iter().any(|name| name == "image");
            assert!(!has_feature || is_guest, "{} lacks required-features", target.name);
        }
    }
}
