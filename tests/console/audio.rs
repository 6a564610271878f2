//! Uploaded sounds over the API: measured with warnings in words, heard as the telephone carries them, approved by
//! another person, retired.

use super::lists::{ended, send_file, switch, working};
use super::*;
use serde_json::json;

const MANAGER: &str = "8003";
const ADMIN: &str = "8005";

/// A WAV file, 8,000 samples a second: a tone between silences.
fn tone(secs_before: f64, secs: f64, secs_after: f64, level: f64) -> Vec<u8> {
    let count = |secs: f64| (secs * 8_000.0) as usize;
    let mut samples = vec![0_i16; count(secs_before)];
    samples.extend((0..count(secs)).map(|n| ((n as f64 * 0.35).sin() * level * 32_767.0) as i16));
    samples.resize(samples.len() + count(secs_after), 0);
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(8_000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

async fn measured(app: &TestApp, name: &str, bytes: Vec<u8>) -> Value {
    let added = send_file(app, MANAGER, &format!("/audio?name={name}"), bytes).await.is(201).json();
    assert_eq!(added["state"], "measuring");
    ended(app, &added["task"]).await;
    app.get(MANAGER, &format!("/audio/{}", added["id"])).await.is(200).json()
}

#[tokio::test]
async fn a_sound_is_measured_heard_and_retired() {
    let app = working().await;
    let sound = measured(&app, "notice.wav", tone(1.9, 3.0, 0.4, 0.3)).await;
    assert_eq!(sound["state"], "ready", "{sound}");
    let facts = &sound["measured"];
    assert_eq!((&facts["channels"], &facts["sample_rate"]), (&json!(1), &json!(8_000)));
    assert!((5_280..=5_320).contains(&facts["millis"].as_u64().unwrap()), "{facts}");
    assert!((1_860..=1_940).contains(&facts["silence_head_ms"].as_u64().unwrap()), "{facts}");
    let warning = &sound["warnings"][0];
    assert_eq!(sound["warnings"].as_array().unwrap().len(), 1, "{sound}");
    assert!(warning["zh"].as_str().unwrap().contains("业主可能挂机"), "{warning}");

    let path = format!("/audio/{}", sound["id"]);
    let whole = app.get(MANAGER, &format!("{path}/sound")).await.is(200);
    assert_eq!(
        (whole.headers[header::CONTENT_TYPE].to_str().unwrap(), whole.body.len()),
        ("audio/wav", 84_844)
    );
    let line = app.get(MANAGER, &format!("{path}/sound?as=telephone")).await.is(200);
    assert!(line.body.starts_with(b"RIFF") && line.body != whole.body);
    let mut request = app.request(MANAGER, "get", &format!("{path}/sound?as=telephone"), None).await;
    request.headers_mut().insert(header::RANGE, "bytes=0-3".parse().unwrap());
    assert_eq!(app.send(request).await.is(206).body, b"RIFF");
    let peaks = app.get(MANAGER, &format!("{path}/peaks?bins=53")).await.is(200).json();
    let peaks: Vec<f64> = serde_json::from_value(peaks["peaks"].clone()).unwrap();
    assert_eq!(peaks.len(), 53);
    assert!(peaks[..18].iter().all(|peak| *peak < 0.01) && peaks[25] > 0.05, "{peaks:?}");

    let taken = send_file(&app, MANAGER, "/audio?name=notice.wav", tone(0.0, 1.0, 0.0, 0.3)).await;
    assert_eq!(taken.is(409).code(), "taken");
    let act = async |id: &Value| {
        app.post(MANAGER, &format!("/audio/{id}/actions"), json!({ "action": "retire" })).await
    };
    // `spring` announces `a.wav`.
    let named = measured(&app, "a.wav", tone(0.0, 1.0, 0.0, 0.3)).await;
    assert_eq!(named["used_by"], json!(["spring"]));
    assert_eq!(act(&named["id"]).await.is(409).code(), "in_use");
    act(&sound["id"]).await.is(204);
    app.get(MANAGER, &path).await.is(404);
    measured(&app, "notice.wav", tone(0.0, 1.0, 0.0, 0.3)).await;
    app.tasks.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_sound_say_so_in_both_languages() {
    let app = working().await;
    let sound =
        measured(&app, "notice.mp3", b"OggS nothing we play, however long it may be ....".to_vec()).await;
    assert_eq!((&sound["state"], &sound["measured"]), (&json!("unreadable"), &Value::Null), "{sound}");
    assert!(sound["error"]["en"].as_str().unwrap().contains("Ogg"), "{sound}");
    assert!(sound["error"]["zh"].as_str().unwrap().contains("无法播放"), "{sound}");
    app.get(MANAGER, &format!("/audio/{}/peaks", sound["id"])).await.is(404);
    for number in ["8001", "8002", "8004"] {
        app.get(number, "/audio").await.is(403);
    }
    app.tasks.stop().await;
}

#[tokio::test]
async fn another_person_approves_a_sound() {
    let app = working().await;
    switch(&app, |settings| settings.approve_audio = true).await;
    let bytes = tone(0.0, 2.0, 0.0, 0.3);
    let sound = measured(&app, "notice.wav", bytes.clone()).await;
    assert_eq!(sound["state"], "waiting");
    let open = app.get(ADMIN, "/approvals").await.is(200).json();
    let path = format!("/approvals/{}/actions", open["items"][0]["id"]);
    assert_eq!(open["items"][0]["kind"], "audio");
    assert_eq!(app.post(MANAGER, &path, json!({ "action": "approve" })).await.is(403).code(), "own_work");
    app.post(ADMIN, &path, json!({ "action": "approve" })).await.is(204);
    let path = format!("/audio/{}", sound["id"]);
    assert_eq!(app.get(MANAGER, &path).await.is(200).json()["state"], "ready");
    // What a program uploads is the work of whoever made its token.
    let made = app.post(MANAGER, "/tokens", json!({ "name": "crm", "role": "manager" })).await.is(201).json();
    let mut request = bare("post", "/audio?name=by-program.wav", None);
    let other = tone(0.0, 2.5, 0.0, 0.3);
    let token = format!("Bearer {}", made["token"].as_str().unwrap());
    for (name, value) in [
        (header::AUTHORIZATION.as_str(), token),
        (header::CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH.as_str(), other.len().to_string()),
        ("idempotency-key", "by-program".to_owned()),
    ] {
        request
            .headers_mut()
            .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    *request.body_mut() = Body::from(other);
    let uploaded = app.send(request).await.is(201).json();
    ended(&app, &uploaded["task"]).await;
    let open = app.get(ADMIN, "/approvals").await.is(200).json();
    let own = format!("/approvals/{}/actions", open["items"][0]["id"]);
    assert_eq!(app.post(MANAGER, &own, json!({ "action": "approve" })).await.is(403).code(), "own_work");
    app.post(ADMIN, &own, json!({ "action": "approve" })).await.is(204);
    // The same bytes are approved under another name, too.
    assert_eq!(measured(&app, "again.wav", bytes).await["state"], "ready");
    app.tasks.stop().await;
}
