//! Single writes of SQLite that fail, at every place of an import: nothing of a failed import is left, and
//! after a restart no callee is called who answered before.

#![allow(unsafe_code, reason = "SQLite's table of system calls is changed through its C interface")]

use super::*;
use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::sync::{Mutex, Once};

/// A folder whose files' next write but `writes_left` fails with this error number.
struct Fault {
    folder: PathBuf,
    error: c_int,
    writes_left: u32,
    /// Every later write fails too.
    is_lasting: bool,
    has_struck: bool,
}

static FAULTS: Mutex<Vec<Fault>> = Mutex::new(Vec::new());

/// Arms a fault in a folder until it is dropped.
struct Armed(PathBuf);

impl Armed {
    fn at(folder: &Path, error: c_int, writes_left: u32, is_lasting: bool) -> Armed {
        replace_write();
        let folder = folder.canonicalize().unwrap();
        let fault = Fault { folder: folder.clone(), error, writes_left, is_lasting, has_struck: false };
        FAULTS.lock().unwrap().push(fault);
        Armed(folder)
    }

    fn has_struck(&self) -> bool {
        FAULTS.lock().unwrap().iter().any(|fault| fault.folder == self.0 && fault.has_struck)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        FAULTS.lock().unwrap().retain(|fault| fault.folder != self.0);
    }
}

/// The error number with which this write fails.
fn fault_of(fd: c_int) -> Option<c_int> {
    let mut faults = FAULTS.lock().unwrap();
    if faults.is_empty() {
        return None;
    }
    let file = std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
    let fault = faults.iter_mut().find(|fault| file.starts_with(&fault.folder))?;
    if fault.has_struck && !fault.is_lasting {
        return None;
    }
    if fault.writes_left > 0 {
        fault.writes_left -= 1;
        return None;
    }
    fault.has_struck = true;
    Some(fault.error)
}

unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize {
    match fault_of(fd) {
        // SAFETY: errno belongs to this thread; the arguments are SQLite's own.
        Some(error) => unsafe {
            *libc::__errno_location() = error;
            -1
        },
        None => unsafe { libc::write(fd, bytes, count) },
    }
}

unsafe extern "C" fn pwrite(fd: c_int, bytes: *const c_void, count: usize, offset: i64) -> isize {
    match fault_of(fd) {
        // SAFETY: as above.
        Some(error) => unsafe {
            *libc::__errno_location() = error;
            -1
        },
        None => unsafe { libc::pwrite(fd, bytes, count, offset) },
    }
}

/// Puts the two functions into the system calls of SQLite's "unix" file system, for the whole process.
fn replace_write() {
    static ONCE: Once = Once::new();
    // SAFETY: the VFS found is SQLite's default one and lives as long as the process; the functions have the
    // signatures of write(2) and pwrite(2), which its table expects under these names.
    ONCE.call_once(|| unsafe {
        let vfs = libsqlite3_sys::sqlite3_vfs_find(std::ptr::null());
        let set = (*vfs).xSetSystemCall.expect("the unix VFS has a table of system calls");
        let write: unsafe extern "C" fn(c_int, *const c_void, usize) -> isize = write;
        let pwrite: unsafe extern "C" fn(c_int, *const c_void, usize, i64) -> isize = pwrite;
        set(
            vfs,
            c"write".as_ptr(),
            transmute::<*const (), Option<unsafe extern "C" fn()>>(write as *const ()),
        );
        set(
            vfs,
            c"pwrite".as_ptr(),
            transmute::<*const (), Option<unsafe extern "C" fn()>>(pwrite as *const ()),
        );
        set(
            vfs,
            c"pwrite64".as_ptr(),
            transmute::<*const (), Option<unsafe extern "C" fn()>>(pwrite as *const ()),
        );
    });
}

const OWNERS: u64 = 8;

async fn import(store: &Store, campaign: CampaignId, file: &str, leads: &[LeadRow]) -> bool {
    if store.same_list(campaign, file).await.unwrap().is_some() {
        return true;
    }
    let new =
        NewImport { campaign, file: file.into(), fingerprint: file.into(), header: vec!["电话".into()] };
    let Ok(mut import) = store.begin_import(&new).await else { return false };
    for pair in leads.chunks(2) {
        if import.push(pair, &[]).await.is_err() {
            return false;
        }
    }
    import.push(&[], &[refused(90, Reason::Duplicate)]).await.is_ok()
        && import.commit(OWNERS + 1, "{}").await.is_ok()
}

fn owners(first: u64) -> Vec<LeadRow> {
    (0..OWNERS).map(|n| row(n + 2, &[first + n], Some(&format!("3-{}", n / 2)))).collect()
}

/// Rows that refer to none, and leads that are in no finished import.
async fn stray_rows(dir: &Path) -> (usize, i64) {
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url(dir)).await.unwrap();
    let broken = sqlx::query("pragma foreign_key_check").fetch_all(&mut conn).await.unwrap().len();
    let stray = sqlx::query_scalar(
        "select count(*) from lead where import_id not in (select id from import where state = 'done')",
    );
    (broken, stray.fetch_one(&mut conn).await.unwrap())
}

/// One import with this fault. `false` = the fault was never reached.
async fn one_fault(error: c_int, writes_left: u32, is_lasting: bool) -> bool {
    let place = format!("error {error} at write {writes_left}, lasting: {is_lasting}");
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let clock = ManualClock::at(MORNING);
    let store = Store::open(&url(dir.path()), clock.as_clock()).await.unwrap();
    let campaign = define(&store, "spring", &retry_rules()).await;
    let armed = Armed::at(dir.path(), error, writes_left, is_lasting);
    let imported = import(&store, campaign, "owners", &owners(0)).await;
    let has_struck = armed.has_struck();
    assert_eq!(imported, !has_struck, "{place}: a failed write was not reported");
    drop(armed);
    drop(store);

    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    assert_eq!(stray_rows(fixture.dir.path()).await, (0, 0), "{place}");
    assert!(import(&fixture.store, campaign, "owners", &owners(0)).await, "{place}");
    let leads = fixture.fetch(100).await.0;
    assert_eq!(leads.len() as u64, OWNERS, "{place}");
    for lead in &leads {
        let request = fixture.request(Some(lead), lead.phones[0].number);
        // One of a household after the other.
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened, "{place}");
        fixture.end(&request, Some(lead), Outcome::Answered).await;
    }
    let (dir, clock) = fixture.close().await;
    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    assert!(import(&fixture.store, campaign, "others", &owners(50)).await, "{place}");
    let next: Vec<_> = fixture.fetch(100).await.0.iter().map(|lead| lead.phones[0].number).collect();
    assert_eq!(next, (50..50 + OWNERS).map(number).collect::<Vec<_>>(), "{place}: called again");
    assert_eq!(stray_rows(fixture.dir.path()).await, (0, 0), "{place}");
    has_struck
}

#[tokio::test]
async fn no_failed_write_of_an_import_leaves_a_lead_or_calls_a_callee_again() {
    for (error, is_lasting) in [(libc::ENOSPC, false), (libc::EIO, true)] {
        let mut writes = 0;
        while one_fault(error, writes, is_lasting).await {
            writes += if is_lasting { 3 } else { 1 };
        }
        assert!(writes > 20, "an import writes more than {writes} times");
    }
}

/// The engine's own writes: each reply after the fault says what is on disk.
#[tokio::test]
async fn a_failed_write_during_calls_loses_no_acknowledged_attempt() {
    for error in [libc::ENOSPC, libc::EIO] {
        for writes_left in 0..12 {
            let place = format!("error {error} at write {writes_left}");
            let mut fixture = Fixture::new().await;
            fixture.list(&rows(4), &[]).await;
            let leads = fixture.fetch(4).await.0;
            let armed = Armed::at(fixture.dir.path(), error, writes_left, false);
            let mut opened = Vec::new();
            for lead in &leads {
                let request = fixture.request(Some(lead), lead.phones[0].number);
                fixture.writer.send(opening(&request)).await;
                loop {
                    match fixture.reply().await {
                        Reply::AttemptOpened { verdict: DialVerdict::Opened, .. } => {
                            opened.push(request.attempt);
                            break;
                        }
                        Reply::AttemptOpened { .. } => break,
                        Reply::Stalled { .. } | Reply::Recovered => {}
                        other => panic!("{place}: {other:?}"),
                    }
                }
            }
            drop(armed);
            let (campaign, clock) = (fixture.campaign, fixture.clock.clone());
            let (dir, _) = fixture.close().await;
            let fixture = Fixture::open(dir, clock, &retry_rules()).await;
            let mut reader = fixture.store.reader().await.unwrap();
            let rows = reader.attempts(campaign, 0, 100).await.unwrap();
            let kept: Vec<_> = rows.iter().map(|row| AttemptId(row.id)).collect();
            assert_eq!(kept, opened, "{place}");
        }
    }
}

#[tokio::test]
async fn an_id_is_never_used_again() {
    let mut fixture = Fixture::new().await;
    let campaign = fixture.campaign;
    assert!(import(&fixture.store, campaign, "first", &owners(0)).await);
    let undone = fixture.store.imports(campaign).await.unwrap()[0].id;
    let before = fixture.fetch(100).await.0;
    fixture.store.undo_import(undone).await.unwrap();
    let new = NewImport { campaign, file: "a".into(), fingerprint: "a".into(), header: vec![] };
    let cancelled = fixture.store.begin_import(&new).await.unwrap();
    let cancelled_id = cancelled.id();
    cancelled.abandon().await.unwrap();
    let (dir, clock) = fixture.close().await;
    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    assert!(import(&fixture.store, campaign, "second", &owners(0)).await);
    let import = fixture.store.imports(campaign).await.unwrap()[0].id;
    assert!(import > cancelled_id && cancelled_id > undone);
    for lead in fixture.fetch(100).await.0 {
        assert!(before.iter().all(|old| old.id < lead.id && old.household < lead.household));
    }
}

/// A store that an earlier program left with leads of a lost import.
#[tokio::test]
async fn leads_of_a_lost_import_are_swept_at_the_start() {
    let fixture = Fixture::new().await;
    let campaign = fixture.campaign;
    let (dir, clock) = fixture.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file(dir.path())).foreign_keys(false);
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    for sql in [
        "insert into lead (id, campaign_id, import_id, list_row, cells) values (1, 1, 1, 2, '[]'), (2, 1, 7, 2, '[]')",
        "insert into phone (lead_id, position, number, given) values (1, 0, 8613800000001, ''), (2, 0, 8613800000002, '')",
        "insert into refused_row values (7, 3, '[]', 'duplicate', '')",
    ] {
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
    drop(conn);
    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    assert_eq!(stray_rows(fixture.dir.path()).await, (0, 0));
    assert!(import(&fixture.store, campaign, "owners", &owners(50)).await);
    assert_eq!(fixture.fetch(100).await.0.len() as u64, OWNERS);
}
