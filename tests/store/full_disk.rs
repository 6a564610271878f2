//! A full file system: dialling stops with the reason, answers and results of live calls are still written,
//! and dialling resumes once there is space. Needs the right to mount a tmpfs.

use super::*;
use std::process::Command as Process;

/// A small tmpfs, unmounted on drop.
struct SmallDisk(Arc<tempfile::TempDir>);

impl SmallDisk {
    fn mount(size: &str) -> Option<SmallDisk> {
        let dir = Arc::new(tempfile::tempdir().ok()?);
        let mounted = Process::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(SmallDisk(dir))
    }

    /// Fills the file system to the last byte.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while std::io::Write::write_all(&mut file, &[7; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Process::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk_saves_live_calls_and_places_no_new_one() {
    let Some(disk) = SmallDisk::mount("24m") else {
        eprintln!("no right to mount a file system here: not tested");
        return;
    };
    let mut fixture = Fixture::open(disk.0.clone(), ManualClock::at(MORNING), &retry_rules()).await;
    fixture.list(&rows(3000), &[]).await;
    let leads = fixture.fetch(100).await.0;
    let mut calls = Vec::new();
    for lead in &leads {
        let request = fixture.request(Some(lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        calls.push(request);
    }
    disk.fill();
    // Dialling continues until the WAL cannot grow.
    let mut placed = calls.len();
    let why = loop {
        let number = number(500_000 + placed as u64);
        let request = fixture.request(None, number);
        match fixture.ask(opening(&request)).await {
            Reply::AttemptOpened { verdict, .. } => assert_eq!(verdict, DialVerdict::Opened),
            Reply::Stalled { why } => break why,
            other => panic!("{other:?}"),
        }
        placed += 1;
    };
    assert!(why.contains("is full"), "{why}");
    let refused = fixture.reply().await;
    assert!(
        matches!(refused, Reply::AttemptOpened { verdict: DialVerdict::NotBefore { .. }, .. }),
        "{refused:?}"
    );
    // The space of the disk reserve takes the answers and results of all live calls.
    for (request, lead) in calls.iter().zip(&leads) {
        let (call, at) = (request.attempt.call(), fixture.clock.now());
        let answer = Command::SaveAnswer { call, at, dialog: "{\"d\":1}".into() };
        assert_eq!(fixture.ask(answer).await, Reply::AnswerSaved { call });
        fixture.end(request, Some(lead), Outcome::Answered).await;
    }
    assert!(!fixture.dir.path().join("paceline.db.ballast").exists());
    let request = fixture.request(None, number(900_000));
    let refused = fixture.dial(&request).await;
    let until = request.placed_at;
    assert_eq!(refused, DialVerdict::NotBefore { until, reason: Reason::Stopped }, "still no room");
    disk.make_room();
    assert_eq!(fixture.reply().await, Reply::Recovered);
    assert!(fixture.dir.path().join("paceline.db.ballast").exists());
    let request = fixture.request(None, number(900_001));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let rows = fixture.store.reader().await.unwrap().attempts(fixture.campaign, 0, 1_000_000).await.unwrap();
    assert_eq!(rows.len(), placed + 1, "no call without a row, no row without a call");
    let answered = rows.iter().filter(|row| row.outcome.as_deref() == Some("answered")).count();
    assert_eq!(answered, calls.len());
}

#[tokio::test]
async fn a_store_is_not_opened_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount("8m") else {
        eprintln!("no right to mount a file system here: not tested");
        return;
    };
    disk.fill();
    let opened = Store::open(&url(disk.0.path()), ManualClock::at(MORNING).as_clock()).await;
    let error = opened.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("is full"), "{error}");
}
