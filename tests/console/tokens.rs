//! Bearer tokens of programs: which roles make them, what they admit to and for how long.

use super::*;
use serde_json::json;

async fn status_with(house: &House, token: &str, method: &str, path: &str, body: Option<Value>) -> u16 {
    let mut request = bare(method, path, body);
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    house.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_token_is_shown_once_and_opens_what_its_role_may_until_it_expires() {
    let house = House::new().await;
    house.staff().await;
    let made = house.post("8003", "/tokens", json!({ "name": "crm", "days": 1 })).await.is(201).json();
    let token = made["token"].as_str().expect("a token").to_owned();
    assert_eq!((token.len(), made["row"]["role"].as_str()), (64, Some("analyst")));
    let list = house.get("8003", "/tokens").await.is(200);
    assert!(!String::from_utf8_lossy(&list.body).contains(&token), "it is shown once");
    assert_eq!(list.json()["tokens"][0]["name"], "crm");
    assert_eq!(status_with(&house, &token, "get", "/me", None).await, 200);
    assert_eq!(status_with(&house, &token, "post", "/groups", Some(json!({ "name": "x" }))).await, 403);
    house.hands.go_on(24 * 3_600_000 + 1);
    assert_eq!(status_with(&house, &token, "get", "/me", None).await, 401);
    assert_eq!(house.get("8003", "/tokens").await.json()["tokens"][0]["expired"], true);
}

#[tokio::test]
async fn a_token_that_is_taken_back_opens_nothing() {
    let house = House::new().await;
    house.staff().await;
    let made =
        house.post("8005", "/tokens", json!({ "name": "crm", "role": "manager", "days": 0 })).await.json();
    let (token, id) = (made["token"].as_str().unwrap().to_owned(), made["row"]["id"].to_string());
    assert_eq!(made["row"]["expires_at"], Value::Null);
    assert_eq!(status_with(&house, &token, "get", "/tokens", None).await, 200);
    let more = Some(json!({ "name": "more" }));
    assert_eq!(status_with(&house, &token, "post", "/tokens", more).await, 403, "a token makes no tokens");
    house.by("8003", "delete", &format!("/tokens/{id}"), None).await.is(204);
    assert_eq!(status_with(&house, &token, "get", "/me", None).await, 401);
    house.by("8003", "delete", &format!("/tokens/{id}"), None).await.is(404);
    house.by("8003", "delete", "/tokens/x", None).await.is(404);
}

#[tokio::test]
async fn a_manager_makes_no_token_that_may_more_than_she_and_programs_get_no_seat() {
    let house = House::new().await;
    house.staff().await;
    house.post("8003", "/tokens", json!({ "name": "boss", "role": "admin" })).await.is(403);
    let made = house.post("8005", "/tokens", json!({ "name": "boss", "role": "admin" })).await.is(201).json();
    house.by("8003", "delete", &format!("/tokens/{}", made["row"]["id"]), None).await.is(403);
    for unfit in [
        json!({ "name": "" }),
        json!({ "name": "a\nb" }),
        json!({ "name": "x", "role": "agent" }),
        json!({ "name": "x", "role": "god" }),
        json!({ "name": "x", "days": 4_000 }),
        json!({ "role": "analyst" }),
    ] {
        house.post("8005", "/tokens", unfit.clone()).await.is(422);
    }
}
