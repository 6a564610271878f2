//! A campaign that was tried on the simulated carrier rings no real phone before its calls are forgotten.

use super::{Site, carrier, kills};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Files below a folder that others than their owner may read.
fn open_files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, metadata) = (entry.path(), entry.metadata().expect("its rights"));
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(path.display().to_string());
        }
        if metadata.is_dir() {
            found.extend(open_files(&path));
        }
    }
    found
}

#[test]
fn a_campaign_that_was_simulated_is_reset_before_it_uses_a_real_trunk() {
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("invites.csv");
    let (runtime, far, address) = carrier(kills::PEOPLE, &record);
    let site = Site::new(address, 6, kills::RULES);
    let real = std::fs::read_to_string(site.path("paceline.toml")).expect("a configuration");
    let without_trunk = real.split("[trunks.main]").next().expect("the rest");
    site.write("paceline.toml", without_trunk);
    site.write("people.toml", kills::PEOPLE);
    let (code, _, err) = site.run(&["run", "campaign.toml", "--people", "people.toml"]);
    assert_eq!(code, 0, "{err}");
    for private in ["results", "paceline.journal"] {
        assert_eq!(open_files(&site.path(private)), Vec::<String>::new());
    }
    for private in ["paceline.db", "paceline.db.lock", "paceline.db.ballast", "results", "paceline.journal"] {
        let mode = std::fs::metadata(site.path(private)).expect(private).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{private}: {mode:o}");
    }

    site.write("paceline.toml", &real);
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("simulated") && err.contains("paceline list reset"), "{err}");
    let (code, _, err) = site.run(&["check", "campaign.toml"]);
    assert_eq!(code, 3, "what run refuses, check refuses: {err}");
    assert!(err.contains("paceline list reset"), "{err}");
    let (code, _, err) = site.run(&["why", "campaign.toml"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("paceline list reset"), "{err}");
    assert_eq!(
        std::fs::read_to_string(&record).unwrap_or_default().lines().count().max(1),
        1,
        "a phone rang"
    );

    // Through a service that runs on the store, which a campaign may be opened in afterwards.
    let mut service = site.start(&["serve"]);
    super::growing_list::wait_for_log(&site, "API: http");
    let (code, out, err) = site.run(&["list", "reset", "campaign.toml", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("a service runs on this store"), "{err}");
    let killed = std::process::Command::new("kill").args(["-TERM", &service.id().to_string()]).status();
    assert!(killed.expect("kill").success());
    assert_eq!(service.wait().expect("it stops").code(), Some(0), "{}", site.log());
    assert_eq!((&out["leads_reset"], &out["leads_open"]), (&6.into(), &6.into()), "{out}");
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert_eq!(code, 0, "{err}");
    let called = runtime.block_on(far.stop()).ledger.by_callee().len();
    assert_eq!(called, 6, "every lead is called for real");
    assert!(site.attempts().iter().all(|row| &row[super::column("trunk")] == "main"));
}
