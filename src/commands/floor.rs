//! People and prompts for a running engine: who works here, what the house says.

use super::Failure;
use crate::audio::Sound;
use crate::config::Config;
use crate::engine::{AgentOpening, Ask, EngineHandle, PhoneSecret, Prompts};
use crate::store::{AgentRow, Store};
use paceline_core::media::tone::Cadence;

/// Tells the engine of every group and agent the store knows. Told again, nothing is lost.
pub(super) async fn tell_people(store: &Store, handle: &EngineHandle) -> Result<(), Failure> {
    for group in store.groups().await.map_err(Failure::unexpected)? {
        handle.ask(Ask::Group(group)).await;
    }
    for row in store.agents().await.map_err(Failure::unexpected)? {
        let opening = AgentOpening { agent: row.agent(), phone: phone_secret(&row) };
        handle.ask(Ask::Agent(Box::new(opening))).await;
    }
    Ok(())
}

fn phone_secret(row: &AgentRow) -> Option<PhoneSecret> {
    let user = row.details.sip_user.clone()?;
    let ha1_md5 = bytes(row.secrets.ha1_md5.as_deref()?)?;
    let ha1_sha256 = bytes(row.secrets.ha1_sha256.as_deref()?)?;
    Some(PhoneSecret { user, ha1_md5, ha1_sha256 })
}

/// Hex digits to bytes; `None` for any other length.
fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if hex.len() != N * 2 || !hex.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[n * 2..n * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

pub(super) fn prompts(config: &Config) -> Result<Prompts, Failure> {
    let _ = config;
    let ring_back: Vec<f32> =
        Cadence::RINGBACK.period(8_000).into_iter().map(|sample| f32::from(sample) / 32_768.0).collect();
    let ring_back = Sound::from_samples("ring-back", &ring_back, 8_000);
    Ok(Prompts::new(
        ring_back.clone(),
        ring_back.clone(),
        ring_back.clone(),
        Box::new(move |_| ring_back.clone()),
    ))
}
