//! Uploaded lists in the store: visible in one commit, closed with their households, undone while nobody was called.

use super::*;
use paceline::store::blobs::NewBlob;
use paceline::store::list_uploads::{
    CheckResult, NewUpload, UploadEditor, UploadId, UploadRefusal, UploadState,
};
use paceline::store::task_rows::{TaskId, TaskKind, TaskState};
use paceline::store::upload_loads::LoadedUpload;
use paceline::store::{Actor, ActorKind, Scope, Subject};

const EDITOR: UploadEditor = UploadEditor { enterprise: 1, account: None, version: None };

fn actor() -> Actor {
    let (name, address) = ("test".into(), String::new());
    Actor { kind: ActorKind::System, id: None, name, address, enterprise: 1, key: None }
}

fn blob(byte: u8, path: &str) -> NewBlob<'_> {
    NewBlob { enterprise: 1, kind: "list", sha256: [byte; 32], bytes: 10, media_type: "text/csv", path }
}

/// A list that was received and checked.
async fn checked(fixture: &Fixture, byte: u8) -> UploadId {
    let path = format!("1/list/2026-11/{byte}");
    let (campaign, file_name) = (fixture.campaign, "list.csv");
    let new = NewUpload { blob: blob(byte, &path), organisation: 1, campaign, file_name, made_by: None };
    let mut change =
        fixture.store.begin_change(&actor(), "lists.edit", Subject::of("list", "x")).await.unwrap();
    let entered = change.enter_upload(&new).await.unwrap();
    change.commit().await.unwrap();
    let task = fixture.store.take_task().await.unwrap().expect("its check");
    assert_eq!((task.id, task.kind, task.subject), (entered.task, TaskKind::CheckList, entered.id.0));
    let state = UploadState::Checked;
    let found = CheckResult { state, error: None, report: None, fix: None, rows: 2, leads: 2, refused: 0 };
    fixture.store.finish_check(entered.id, found).await.unwrap();
    fixture.store.end_task(task.id, TaskState::Done, None, None).await.unwrap();
    entered.id
}

async fn begin_load(fixture: &Fixture, id: UploadId) -> TaskId {
    let mut change =
        fixture.store.begin_change(&actor(), "lists.edit", Subject::of("list", "x")).await.unwrap();
    let task = change.begin_load(id, EDITOR).await.unwrap().expect("it may be loaded");
    change.commit().await.unwrap();
    assert_eq!(fixture.store.take_task().await.unwrap().map(|task| task.id), Some(task));
    task
}

/// Loads these rows as the task does.
async fn load(fixture: &Fixture, id: UploadId, rows: &[LeadRow]) -> u64 {
    let task = begin_load(fixture, id).await;
    let header = vec!["电话".into()];
    let new =
        NewImport { campaign: fixture.campaign, file: "list.csv".into(), fingerprint: "x".into(), header };
    let mut import = fixture.store.begin_upload_import(id, &new).await.unwrap();
    let closed = import.push_paced(rows, &[refused(9, Reason::Duplicate)]).await.unwrap();
    let imports = [(import.id(), import.rows())];
    let loaded = LoadedUpload { id, imports: &imports, report: "{}", by: None };
    fixture.store.commit_upload(&loaded).await.unwrap();
    fixture.store.end_task(task, TaskState::Done, None, None).await.unwrap();
    closed
}

#[tokio::test]
async fn a_list_on_which_somebody_was_called_stays() {
    let mut fixture = Fixture::new().await;
    let id = checked(&fixture, 1).await;
    load(&fixture, id, &rows(2)).await;
    assert_eq!(fixture.store.count_upload_calls(id).await.unwrap(), 0);
    fixture.call(Outcome::NoAnswer).await;
    assert_eq!(fixture.store.count_upload_calls(id).await.unwrap(), 1);
    let refused = fixture.store.undo_upload(id, None).await.unwrap().unwrap_err();
    assert_eq!(refused, UploadRefusal::Called(1));
    assert_eq!(fixture.store.upload(1, id).await.unwrap().unwrap().state, UploadState::Loaded);
    assert_eq!(fixture.store.lead_counts(fixture.campaign).await.unwrap().all, 2);
}

#[tokio::test]
async fn an_undone_list_is_gone_with_all_its_imports() {
    let fixture = Fixture::new().await;
    let id = checked(&fixture, 1).await;
    load(&fixture, id, &rows(5_000)).await;
    assert_eq!(fixture.store.lead_counts(fixture.campaign).await.unwrap().all, 5_000);
    fixture.store.undo_upload(id, None).await.unwrap().unwrap();
    assert_eq!(fixture.store.lead_counts(fixture.campaign).await.unwrap().all, 0);
    fixture.store.sweep_upload(id).await.unwrap();
    assert_eq!(fixture.store.known_numbers(fixture.campaign).await.unwrap(), []);
    // The list may be loaded anew only by sending it again.
    let mut change =
        fixture.store.begin_change(&actor(), "lists.edit", Subject::of("list", "x")).await.unwrap();
    let refused = change.begin_load(id, EDITOR).await.unwrap().unwrap_err();
    assert_eq!(refused, UploadRefusal::State(UploadState::Undone));
}

#[tokio::test]
async fn leads_of_a_done_household_come_in_as_done() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], Some("3-101"))], &[]).await;
    fixture.call(Outcome::Answered).await;
    let id = checked(&fixture, 1).await;
    let closed = load(&fixture, id, &[row(2, &[2], Some("3-101")), row(3, &[3], Some("3-102"))]).await;
    assert_eq!(closed, 1);
    let counts = fixture.store.lead_counts(fixture.campaign).await.unwrap();
    assert_eq!((counts.all, counts.open), (3, 1));
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_go_with_the_last_list() {
    let fixture = Fixture::new().await;
    let first = checked(&fixture, 7).await;
    let campaign = fixture.campaign;
    let new = NewUpload {
        blob: blob(7, "1/list/2026-11/other"),
        organisation: 1,
        campaign,
        file_name: "copy.csv",
        made_by: None,
    };
    let mut change =
        fixture.store.begin_change(&actor(), "lists.edit", Subject::of("list", "x")).await.unwrap();
    let second = change.enter_upload(&new).await.unwrap();
    change.commit().await.unwrap();
    assert!(second.blob_is_known);
    let discard = async |id: UploadId| {
        let mut change =
            fixture.store.begin_change(&actor(), "lists.edit", Subject::of("list", "x")).await.unwrap();
        let gone = change.discard_upload(id, EDITOR).await.unwrap();
        change.commit().await.unwrap();
        gone
    };
    assert_eq!(discard(second.id).await, Err(UploadRefusal::Busy(second.task)), "its check waits");
    assert!(fixture.store.cancel_queued_task(second.task).await.unwrap());
    assert_eq!(discard(first).await, Ok(vec![]), "the other list has the same bytes");
    let state = UploadState::Unreadable;
    let found = CheckResult { state, error: None, report: None, fix: None, rows: 0, leads: 0, refused: 0 };
    fixture.store.finish_check(second.id, found).await.unwrap();
    assert_eq!(discard(second.id).await, Ok(vec!["1/list/2026-11/7".to_owned()]));
    assert!(fixture.store.blob_paths().await.unwrap().is_empty());
}

#[tokio::test]
async fn tasks_are_taken_in_their_order_and_again_after_a_crash() {
    let fixture = Fixture::new().await;
    let ids = [checked(&fixture, 1).await, checked(&fixture, 2).await];
    let mut tasks = Vec::new();
    for id in ids {
        let mut change =
            fixture.store.begin_change(&actor(), "lists.edit", Subject::of("list", "x")).await.unwrap();
        tasks.push(change.begin_load(id, EDITOR).await.unwrap().unwrap());
        change.commit().await.unwrap();
    }
    let take = async || fixture.store.take_task().await.unwrap().map(|task| task.id);
    assert_eq!([take().await, take().await, take().await], [Some(tasks[0]), Some(tasks[1]), None]);
    fixture.store.note_task_progress(tasks[0], 5, 9).await.unwrap();
    assert_eq!(fixture.store.requeue_tasks().await.unwrap(), 2);
    assert_eq!(fixture.store.running_tasks().await.unwrap(), []);
    let again = fixture.store.take_task().await.unwrap().unwrap();
    assert_eq!((again.id, again.done, again.total), (tasks[0], 0, 9));
    fixture.store.end_task(again.id, TaskState::Done, Some("{}"), None).await.unwrap();
    fixture.store.end_task(again.id, TaskState::Failed, None, None).await.unwrap();
    assert_eq!(
        fixture.store.task(&Scope::first(), again.id).await.unwrap().unwrap().state,
        TaskState::Done,
        "it ends once"
    );
    assert_eq!(
        fixture.store.task(&Scope { enterprise: 2, organisations: vec![2] }, again.id).await.unwrap(),
        None,
        "of another enterprise"
    );
}

/// Of two tasks that ran when the process ended, the one that ends it is found: each runs alone from then on.
#[tokio::test]
async fn a_task_that_ends_the_process_is_left_after_three_starts_and_takes_no_other_with_it() {
    let fixture = Fixture::new().await;
    let mut tasks = Vec::new();
    for id in [checked(&fixture, 1).await, checked(&fixture, 2).await] {
        let subject = Subject::of("list", "x");
        let mut change = fixture.store.begin_change(&actor(), "lists.edit", subject).await.unwrap();
        tasks.push(change.begin_load(id, EDITOR).await.unwrap().unwrap());
        change.commit().await.unwrap();
    }
    let take = async || fixture.store.take_task().await.unwrap().map(|task| task.id);
    let left = async || {
        let rows = fixture.store.running_tasks().await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!([take().await, take().await], [Some(tasks[0]), Some(tasks[1])]);
    assert_eq!((fixture.store.requeue_tasks().await.unwrap(), left().await), (2, vec![]));
    assert_eq!([take().await, take().await], [Some(tasks[0]), None], "it has the process to itself");
    // A stop of the service is no fault of the task.
    fixture.store.requeue_task(tasks[0]).await.unwrap();
    assert_eq!([take().await, take().await], [Some(tasks[0]), None]);
    assert_eq!((fixture.store.requeue_tasks().await.unwrap(), left().await), (1, vec![]));
    assert_eq!([take().await, take().await], [Some(tasks[0]), None]);
    assert_eq!((fixture.store.requeue_tasks().await.unwrap(), left().await), (0, vec![tasks[0]]));
    fixture.store.end_task(tasks[0], TaskState::Failed, None, None).await.unwrap();
    assert_eq!([take().await, take().await], [Some(tasks[1]), None]);
    assert_eq!((fixture.store.requeue_tasks().await.unwrap(), left().await), (1, vec![]));
}
