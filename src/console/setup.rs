//! First start: the account that makes all others. It takes the set-up code, which the service prints where it was
//! started; also on this machine, because a proxy and a page that points its own name at loopback come from there too.

use super::accounts;
use super::answers;
use super::app_state::AppState;
use super::auth::Body;
use super::fields::{TEXT, WORD, parse_login, parse_text};
use super::problem::Problem;
use super::secrets::{self, key_hash};
use super::source::Source;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{Actor, ActorKind, AgentDetails, Role, Scope, Secrets, Subject};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Wrong codes that are answered; after them the code is void until the next start.
const TRIES: u32 = 10;

/// Crockford's base 32: a code that is read aloud has no letter that looks like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The set-up code of this process: 40 bits.
#[derive(Debug)]
pub(super) struct SetupCode {
    /// Eight characters without the dash.
    code: String,
    wrong: AtomicU32,
}

impl SetupCode {
    pub fn draw() -> Result<SetupCode, Problem> {
        let chance = secrets::random_number()?;
        let letter = |place: u32| ALPHABET[(chance >> (5 * place)) as usize % 32] as char;
        Ok(SetupCode { code: (0..8).map(letter).collect(), wrong: AtomicU32::new(0) })
    }

    /// `XXXX-XXXX`
    pub fn shown(&self) -> String {
        format!("{}-{}", &self.code[..4], &self.code[4..])
    }

    /// # Errors
    /// 403 if the code is wrong, or was tried too often.
    fn check(&self, given: &str) -> Result<(), Problem> {
        if self.wrong.load(Ordering::Acquire) >= TRIES {
            let detail =
                "the set-up code was tried too often and is void; start the service again for a new one";
            return Err(Problem::new(StatusCode::FORBIDDEN, "code_void", detail));
        }
        // Hashes are compared, so that the time of an answer says nothing of the code.
        if key_hash(&normalised(given)) == key_hash(&self.code) {
            return Ok(());
        }
        let wrong = self.wrong.fetch_add(1, Ordering::AcqRel) + 1;
        let left = TRIES.saturating_sub(wrong);
        let detail = format!(
            "this is not the set-up code; it stands where the service was started. {left} tries are left"
        );
        Err(Problem::new(StatusCode::FORBIDDEN, "wrong_code", detail).with("tries_left", left.into()))
    }
}

/// The code as it was drawn: capital letters, no dash, and no letter that stands for a digit.
fn normalised(given: &str) -> String {
    let letters = given.chars().filter(|letter| letter.is_ascii_alphanumeric()).take(16);
    letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

/// Whether nobody can sign in yet. Simulated agents, which have no password, do not count.
async fn needs_account(state: &AppState) -> Result<bool, Problem> {
    Ok(state.store().agents().await?.iter().all(|row| row.secrets.password.is_empty()))
}

impl AppState {
    /// The set-up code, while no account can sign in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open_setup_code(&self) -> Result<Option<String>, Problem> {
        Ok(if needs_account(self).await? { Some(self.setup_code().shown()) } else { None })
    }
}

pub(super) async fn status(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let enterprises = state.store().organisations().await?.iter().filter(|row| row.parent.is_none()).count();
    Ok(Json(json!({ "needs_account": needs_account(&state).await?, "organisations": enterprises > 1 })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstAccount {
    /// The set-up code, with or without its dash.
    #[schemars(length(min = 8, max = 32))]
    code: String,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    #[schemars(length(max = 64), regex(pattern = WORD))]
    login: String,
    #[schemars(length(min = 8, max = 256))]
    password: String,
    #[schemars(with = "Option<answers::LanguageWord>")]
    language: Option<String>,
}

fn already_done() -> Problem {
    let detail = "this service has an account already; sign in";
    Problem::new(StatusCode::CONFLICT, "already_done", detail)
}

/// Makes the first account, an admin and operator, and signs it in.
pub(super) async fn make_first_account(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    Body(asked): Body<FirstAccount>,
) -> Result<Response, Problem> {
    if !needs_account(&state).await? {
        return Err(already_done());
    }
    state.setup_code().check(&asked.code)?;
    let details = AgentDetails {
        name: parse_text("name", &asked.name)?,
        login: parse_login(&asked.login)?,
        role: Role::Admin,
        telephone: None,
        recorded: false,
        skills: Default::default(),
        sip_user: None,
    };
    secrets::check_password(&asked.password)?;
    let preferences = accounts::Preferences { language: asked.language, ..Default::default() };
    preferences.check()?;
    let secrets = Secrets { password: state.hasher().hash(&asked.password).await?, ..Secrets::default() };
    let number =
        state.store().free_agent_number("9?", 4, secrets::random_number()?, &Default::default()).await?;
    let number = number.ok_or_else(|| Problem::internal("no agent number of four digits is free"))?;
    let actor = Actor {
        kind: ActorKind::System,
        id: None,
        name: "set-up".into(),
        address: source.address.to_string(),
        enterprise: FIRST_ENTERPRISE,
        key: None,
    };
    let subject = Subject::of("agent", &number);
    let mut change = state.store().begin_change(&actor, "setup", subject).await?;
    // Asked again inside the change: of two people at once the second is refused.
    if change.has_account_with_password().await? {
        return Err(already_done());
    }
    let id = change.add_agent(&Scope::first(), &number, &details, &secrets).await?;
    change.set_operator(id, true).await?;
    let text = serde_json::to_string(&preferences).map_err(Problem::internal)?;
    change.set_preferences(id, &text).await?;
    let row = change.agent(id).await?;
    change.set_after(json!({ "login": row.details.login, "role": "admin", "operator": true }));
    change.commit().await?;
    let row = state.send_agent_to_engine(row.id).await?;
    accounts::start_session(&state, &row, source.address, &headers).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_taken_as_people_write_it_and_ten_wrong_ones_void_it() {
        let code = SetupCode { code: "01AB89XY".into(), wrong: AtomicU32::new(0) };
        assert_eq!(code.shown(), "01AB-89XY");
        for given in ["01AB-89XY", "01ab89xy", " o1ab 89xy ", "OLab-89xy", "0iAB–89XY"] {
            assert!(code.check(given).is_ok(), "{given}");
        }
        for _ in 0..TRIES {
            assert!(code.check("01AB-89XZ").is_err());
        }
        assert!(code.check("01AB-89XY").is_err(), "void");
    }

    #[test]
    fn drawn_codes_have_eight_letters_of_the_alphabet() {
        let drawn: std::collections::BTreeSet<String> =
            (0..100).map(|_| SetupCode::draw().unwrap().code).collect();
        assert_eq!(drawn.len(), 100);
        assert!(drawn.iter().all(|code| code.len() == 8 && code.bytes().all(|it| ALPHABET.contains(&it))));
    }
}
