//! One batch of commands: their statements in one transaction with one commit (group commit).

use super::attempts::{self, Opening};
use super::command::{Command, Reply};
use super::leads::{self, UpdateCause};
use super::{WriteConnection, blacklist};
use super::{
    legs, minutes, open_dialogs, phone_contacts, recordings, resume, seat_log, summaries, take_back,
};
use paceline_core::dialer::input::DialVerdict;
use paceline_core::ids::{AttemptId, CampaignId, LeadId};
use paceline_core::time::Utc;
use rustc_hash::FxHashSet;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// A queued command. An opening that was refused during a stall becomes `DeleteAttempt`: its row is deleted,
/// in case the commit that reported an error had reached the disk.
pub(super) enum Job {
    Run(Command),
    DeleteAttempt(AttemptId),
}

/// Changes to the writer's memory, applied after the commit.
#[derive(Default)]
pub(super) struct Effects {
    pub replies: Vec<Reply>,
    /// Leads whose lease ends.
    pub returned: Vec<LeadId>,
    /// Change of the number of open leads.
    pub open_leads: BTreeMap<CampaignId, i64>,
}

/// Runs the jobs in one transaction and commits it. `requested` = leads leased on an agent's request.
pub(super) async fn commit_batch(
    write: &WriteConnection,
    jobs: &[Job],
    requested: &FxHashSet<i64>,
    now: Utc,
) -> Result<Effects, sqlx::Error> {
    write
        .transaction(async |conn| {
            let mut effects = Effects::default();
            for item in jobs {
                match item {
                    Job::Run(command) => apply_command(conn, command, requested, now, &mut effects).await?,
                    Job::DeleteAttempt(attempt) => attempts::delete_open(conn, *attempt).await?,
                }
            }
            let at = now.as_millis();
            sqlx::query!("update pulse set at = $1 where id = 1", at).execute(&mut *conn).await?;
            Ok(effects)
        })
        .await
}

async fn apply_command(
    conn: &mut SqliteConnection,
    command: &Command,
    requested: &FxHashSet<i64>,
    now: Utc,
    effects: &mut Effects,
) -> Result<(), sqlx::Error> {
    match command {
        Command::OpenAttempt { request, trunk, call_id, dialog } => {
            let is_requested = request.lead.is_some_and(|lead| requested.contains(&lead.0));
            let opening = Opening { request, trunk, call_id, dialog, is_requested };
            let opened = attempts::open(conn, opening, now).await?;
            let (attempt, verdict) = (request.attempt, opened.verdict);
            *effects.open_leads.entry(request.campaign).or_default() -= opened.leads_closed as i64;
            if verdict != DialVerdict::Opened {
                effects.returned.extend(request.lead);
            }
            effects.replies.push(Reply::AttemptOpened { attempt, verdict });
        }
        Command::SaveAnswer { call, at, dialog } => {
            attempts::save_answer(conn, *call, *at, dialog).await?;
            effects.replies.push(Reply::AnswerSaved { call: *call });
        }
        Command::SaveDialog { call, dialog } => attempts::save_dialog(conn, *call, dialog).await?,
        Command::SaveSteps { attempt, steps } => attempts::save_steps(conn, *attempt, steps).await?,
        Command::SaveResult(result) => {
            *effects.open_leads.entry(result.campaign).or_default() +=
                attempts::save_result(conn, result).await?;
            effects.returned.extend(result.lead.as_ref().map(|update| update.lead));
            effects.replies.push(Reply::ResultSaved { attempt: result.attempt });
        }
        Command::SaveLead(update) => {
            *effects.open_leads.entry(update.campaign).or_default() +=
                leads::save_update(conn, update, UpdateCause::NoCall).await?;
            effects.returned.push(update.lead);
            effects.replies.push(Reply::LeadSaved { lead: update.lead });
        }
        Command::TakeBack { campaign, attempts, next_at } => {
            *effects.open_leads.entry(*campaign).or_default() +=
                take_back::take_back(conn, *campaign, attempts, *next_at).await?;
        }
        Command::MakeDue { leads, at } => take_back::make_due(conn, leads, *at).await?,
        Command::SaveLineTrouble { campaign, words } => {
            take_back::save_line_trouble(conn, *campaign, words).await?;
        }
        Command::ReturnLeads { leads } => effects.returned.extend(leads),
        Command::CloseLeads { campaign, reason } => {
            let closed = leads::close_all(conn, *campaign, *reason).await?;
            *effects.open_leads.entry(*campaign).or_default() -= closed as i64;
            effects.replies.push(Reply::LeadsClosed { campaign: *campaign, leads: closed });
        }
        Command::Blacklist { campaign, number, source } => {
            for campaign in blacklist::add(conn, *campaign, *number, source, now).await? {
                *effects.open_leads.entry(campaign).or_default() -= 1;
            }
            effects.replies.push(Reply::Blacklisted { number: *number });
        }
        // Queries run after the commit: they see the batch, and nothing that may be rolled back.
        Command::FetchLeads { .. } | Command::FetchLead { .. } | Command::IdentifyCaller { .. } => {}
        Command::SaveSummary(record) => {
            *effects.open_leads.entry(record.campaign).or_default() += summaries::save(conn, record).await?;
            effects.replies.push(Reply::SummarySaved { attempt: record.attempt });
        }
        Command::LegPlaced { leg, about, dialog } => {
            legs::save_placed(conn, *leg, about, dialog, now).await?
        }
        Command::SaveLeg(record) => legs::save_ended(conn, record).await?,
        Command::RecoveredAnswer { call_id } => {
            if let Some((campaign, delta)) = resume::note_answer(conn, call_id, now).await? {
                *effects.open_leads.entry(campaign).or_default() += delta;
            }
            effects.replies.push(Reply::RecoveredAnswerSaved { call_id: call_id.clone() });
        }
        Command::DialogEnded { id, reached } => open_dialogs::end(conn, *id, *reached).await?,
        Command::SavePhoneContacts { agent, contacts } => {
            phone_contacts::save(conn, *agent, contacts).await?
        }
        Command::LogSeat(seat) => seat_log::append(conn, seat).await?,
        Command::SaveMinute(minute) => minutes::save(conn, minute).await?,
        Command::SaveRecording { call, path, seconds, lost_frames } => {
            recordings::save(conn, *call, path, *seconds, *lost_frames, now).await?;
        }
    }
    Ok(())
}
