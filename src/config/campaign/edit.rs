//! Changes the text of a campaign by a JSON merge patch (RFC 7396) of its fields. What the patch does not name keeps
//! its bytes: comments, order and formatting. A comment is never lost: one whose key goes moves to the next key, or
//! to the end of the text.

use serde_json::{Map, Value as Json};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// Why a patch cannot be put into a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the text cannot be read: {0}")]
    Text(String),
    #[error("`{0}`: a list has no empty entry, and numbers are below 2^63")]
    Value(String),
    #[error("the text cannot take this change; change the text itself")]
    Unfit,
}

/// Puts a merge patch into a text. A `null` takes a key away, so that its default holds.
///
/// # Errors
/// The text is no TOML, or the patch has a value that TOML does not have.
pub fn edit(text: &str, patch: &Map<String, Json>) -> Result<String, EditError> {
    let before = json_of_text(text)?;
    let mut wanted = Json::Object(before.clone());
    merge(&mut wanted, &Json::Object(patch.clone()));
    if is_same(&wanted, &Json::Object(before)) {
        return Ok(text.to_owned());
    }
    let has_mark = text.starts_with('\u{feff}');
    let plain = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut document: DocumentMut =
        plain.parse().map_err(|error: toml_edit::TomlError| EditError::Text(error.message().to_owned()))?;
    patch_table(document.as_table_mut(), patch, true)?;
    let mut edited = document.to_string();
    append_lost_comments(&plain, &mut edited);
    if !is_same(&Json::Object(json_of_text(&edited)?), &wanted) {
        return Err(EditError::Unfit);
    }
    if text.contains("\r\n") {
        edited = edited.replace('\n', "\r\n");
    }
    Ok(if has_mark { format!("\u{feff}{edited}") } else { edited })
}

/// A text as JSON, without the defaults of what it leaves out.
///
/// # Errors
/// The text is no TOML.
pub fn json_of_text(text: &str) -> Result<Map<String, Json>, EditError> {
    let fault = |why: String| EditError::Text(why);
    let table: toml::Table = toml::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| fault(error.message().to_owned()))?;
    match serde_json::to_value(table) {
        Ok(Json::Object(fields)) => Ok(fields),
        Ok(_) => Err(EditError::Unfit),
        Err(error) => Err(fault(error.to_string())),
    }
}

/// Applies a merge patch to JSON. In lists, a field that is `null` is one that is left out.
pub fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(fields) = patch else {
        *target = without_nulls(patch);
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Map::new());
    }
    let Json::Object(target) = target else { return };
    for (key, value) in fields {
        match value {
            Json::Null => {
                target.remove(key);
            }
            value => merge(target.entry(key.clone()).or_insert(Json::Null), value),
        }
    }
}

fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Json::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Equality in which 3 is 3.0, and a section without keys is one that is left out.
fn is_same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            let empty = Json::Object(Map::new());
            let of = |fields: &Map<String, Json>, key: &String| fields.get(key).unwrap_or(&empty).clone();
            left.keys().chain(right.keys()).all(|key| is_same(&of(left, key), &of(right, key)))
        }
        (left, right) => left == right,
    }
}

fn patch_table(table: &mut dyn TableLike, patch: &Map<String, Json>, is_root: bool) -> Result<(), EditError> {
    for (key, value) in patch {
        match value {
            Json::Null => remove(table, key),
            Json::Object(fields) => match table.get_mut(key).and_then(Item::as_table_like_mut) {
                Some(inner) => patch_table(inner, fields, false)?,
                None => set(table, key, &without_nulls(value), is_root)?,
            },
            value => set(table, key, &without_nulls(value), is_root)?,
        }
    }
    Ok(())
}

fn set(table: &mut dyn TableLike, key: &str, new: &Json, is_root: bool) -> Result<(), EditError> {
    if let Some(item) = table.get_mut(key) {
        match (&mut *item, new) {
            (Item::Value(old), new) => return set_value(key, old, new),
            (Item::ArrayOfTables(tables), Json::Array(items))
                if !items.is_empty() && items.iter().all(Json::is_object) =>
            {
                return set_tables(tables, items);
            }
            _ => {}
        }
    }
    let item = new_item(key, new, is_root)?;
    table.insert(key, item);
    Ok(())
}

/// Replaces a value and keeps the white space and comments around it.
fn set_value(key: &str, old: &mut Value, new: &Json) -> Result<(), EditError> {
    if json_of_value(old).is_some_and(|old| is_same(&old, new)) {
        return Ok(());
    }
    match (&mut *old, new) {
        (Value::Array(array), Json::Array(items)) if !items.is_empty() => {
            return set_array(key, array, items);
        }
        (Value::InlineTable(table), Json::Object(fields)) => return make_equal(table, fields),
        _ => {}
    }
    let decor = old.decor().clone();
    *old = new_value(key, new)?;
    *old.decor_mut() = decor;
    Ok(())
}

fn set_array(key: &str, array: &mut Array, items: &[Json]) -> Result<(), EditError> {
    while array.len() > items.len() {
        array.remove(array.len() - 1);
    }
    for (at, item) in items.iter().enumerate() {
        if let Some(old) = array.get_mut(at) {
            set_value(key, old, item)?;
            continue;
        }
        let mut value = new_value(key, item)?;
        match at.checked_sub(1).and_then(|last| array.get_mut(last)) {
            Some(last) => {
                // A new line for each entry stays one.
                let decor = last.decor().clone();
                let prefix = decor.prefix().and_then(|text| text.as_str()).unwrap_or(" ");
                let prefix =
                    prefix.rsplit_once('\n').map_or(" ".to_owned(), |(_, indent)| format!("\n{indent}"));
                last.decor_mut().set_suffix("");
                value.decor_mut().set_prefix(prefix);
                if let Some(suffix) = decor.suffix() {
                    value.decor_mut().set_suffix(suffix.clone());
                }
                array.push_formatted(value);
            }
            None => array.push(value),
        }
    }
    Ok(())
}

fn set_tables(tables: &mut ArrayOfTables, items: &[Json]) -> Result<(), EditError> {
    while tables.len() > items.len() {
        tables.remove(tables.len() - 1);
    }
    for (at, item) in items.iter().enumerate() {
        let Json::Object(fields) = item else { continue };
        match tables.get_mut(at) {
            Some(table) => make_equal(table, fields)?,
            None => tables.push(new_table(fields)?),
        }
    }
    Ok(())
}

/// Gives a table exactly these fields.
fn make_equal(table: &mut dyn TableLike, fields: &Map<String, Json>) -> Result<(), EditError> {
    let gone: Vec<String> =
        table.iter().map(|(key, _)| key.to_owned()).filter(|key| !fields.contains_key(key)).collect();
    gone.iter().for_each(|key| remove(table, key));
    for (key, value) in fields {
        match (table.get_mut(key).and_then(Item::as_table_like_mut), value) {
            (Some(inner), Json::Object(fields)) => make_equal(inner, fields)?,
            _ => set(table, key, value, false)?,
        }
    }
    Ok(())
}

/// Removes a key. The comments at it move to the next key of the table.
fn remove(table: &mut dyn TableLike, key: &str) {
    let prefix = table.key(key).and_then(|key| key.leaf_decor().prefix()).and_then(|text| text.as_str());
    let suffix = table.get(key).and_then(Item::as_value).and_then(|value| value.decor().suffix());
    let own = [prefix, suffix.and_then(|text| text.as_str())].into_iter().flatten().flat_map(comments);
    let own: String = own.map(|comment| format!("{comment}\n")).collect();
    let next = table.iter().skip_while(|(name, _)| *name != key).skip(1);
    let next = next.filter(|(_, item)| item.is_value()).map(|(name, _)| name.to_owned()).next();
    table.remove(key);
    if own.is_empty() {
        return;
    }
    if let Some(mut next) = next.as_deref().and_then(|next| table.key_mut(next)) {
        let decor = next.leaf_decor_mut();
        let prefix = decor.prefix().and_then(|text| text.as_str()).unwrap_or_default();
        // An inline table has no lines of its own.
        let moved = if prefix.starts_with(' ') { prefix.to_owned() } else { format!("{own}{prefix}") };
        decor.set_prefix(moved);
    }
}

/// A new key of a table: at the root a section, elsewhere a value.
fn new_item(key: &str, value: &Json, is_root: bool) -> Result<Item, EditError> {
    match value {
        Json::Object(fields) if is_root => Ok(Item::Table(new_table(fields)?)),
        Json::Array(items) if is_root && !items.is_empty() && items.iter().all(Json::is_object) => {
            let mut tables = ArrayOfTables::new();
            for item in items {
                if let Json::Object(fields) = item {
                    tables.push(new_table(fields)?);
                }
            }
            Ok(Item::ArrayOfTables(tables))
        }
        value => Ok(Item::Value(new_value(key, value)?)),
    }
}

fn new_table(fields: &Map<String, Json>) -> Result<Table, EditError> {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    for (key, value) in fields {
        table.insert(key, new_item(key, value, false)?);
    }
    Ok(table)
}

fn new_value(key: &str, value: &Json) -> Result<Value, EditError> {
    let unfit = || EditError::Value(key.to_owned());
    Ok(match value {
        Json::Null => return Err(unfit()),
        Json::Bool(yes) => Value::from(*yes),
        Json::String(text) => Value::from(text.as_str()),
        Json::Number(number) => match (number.as_i64(), number.is_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, true) => Value::from(number.as_f64().ok_or_else(unfit)?),
            _ => return Err(unfit()),
        },
        Json::Array(items) => {
            let mut array = Array::new();
            for item in items {
                array.push(new_value(key, item)?);
            }
            Value::Array(array)
        }
        Json::Object(fields) => {
            let mut table = InlineTable::new();
            for (key, value) in fields {
                table.insert(key, new_value(key, value)?);
            }
            Value::InlineTable(table)
        }
    })
}

fn json_of_value(value: &Value) -> Option<Json> {
    Some(match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(whole) => Json::from(*whole.value()),
        Value::Float(number) => Json::from(*number.value()),
        Value::Boolean(yes) => Json::from(*yes.value()),
        Value::Datetime(_) => return None,
        Value::Array(items) => Json::Array(items.iter().map(json_of_value).collect::<Option<_>>()?),
        Value::InlineTable(table) => {
            let fields = table.iter().map(|(key, value)| Some((key.to_owned(), json_of_value(value)?)));
            Json::Object(fields.collect::<Option<_>>()?)
        }
    })
}

/// The comments of a text, in their order, without the white space behind them.
pub fn comments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['#', '"', '\'']) {
        rest = &rest[at..];
        if rest.starts_with('#') {
            let end = rest.find('\n').unwrap_or(rest.len());
            found.push(rest[..end].trim_end());
            rest = &rest[end..];
        } else {
            rest = &rest[string_length(rest)..];
        }
    }
    found
}

/// Bytes of the TOML string that a text begins with.
fn string_length(text: &str) -> usize {
    let quote = &text[..1];
    let long = quote.repeat(3);
    let closing = if text.starts_with(&long) { long.as_str() } else { quote };
    let mut at = closing.len();
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with('\\') && quote == "\"" {
            at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
        } else if rest.starts_with(closing) {
            return at + closing.len();
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Comments of `before` that `edited` has no more are put at its end.
fn append_lost_comments(before: &str, edited: &mut String) {
    let mut kept: Vec<String> = comments(edited).into_iter().map(str::to_owned).collect();
    for comment in comments(before) {
        if let Some(at) = kept.iter().position(|it| it == comment) {
            kept.swap_remove(at);
            continue;
        }
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push('\n');
        }
        edited.push_str(comment);
        edited.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use serde_json::json;

    fn patched(text: &str, patch: Json) -> String {
        let Json::Object(patch) = patch else { panic!("an object") };
        edit(text, &patch).expect("an edited text")
    }

    #[test]
    fn a_changed_value_keeps_what_stands_around_it() {
        let text = "# head\nname = \"a\"  # the name\n\n[calling] # hours\nring_secs = 30                # usual: 45\n";
        let edited = patched(text, json!({ "calling": { "ring_secs": 40 } }));
        assert_eq!(edited, text.replace("30 ", "40 "));
        let windows =
            "[calling]\nwindows = [\n  { days = \"mon\", from = \"08:00\", to = \"12:00\" }, # early\n]\n";
        let more = json!({ "calling": { "windows": [
            { "days": "mon", "from": "09:00", "to": "12:00" }, { "days": "sun", "from": "10:00", "to": "11:00" }] } });
        let edited = patched(windows, more);
        assert!(edited.contains("{ days = \"mon\", from = \"09:00\", to = \"12:00\" }"), "{edited}");
        assert!(edited.contains("# early") && edited.contains("\n  {"), "{edited}");
    }

    #[test]
    fn a_removed_key_leaves_its_comments() {
        let text = "[calling]\n# why so long\nring_secs = 30 # usual: 45\nsetup_secs = 20\n";
        let edited = patched(text, json!({ "calling": { "ring_secs": null } }));
        assert_eq!(edited, "[calling]\n# why so long\n# usual: 45\nsetup_secs = 20\n");
        let edited = patched(text, json!({ "calling": null }));
        assert_eq!(comments(&edited), ["# why so long", "# usual: 45"]);
    }

    #[test]
    fn line_ends_and_the_mark_at_the_front_stay() {
        let text = "\u{feff}name = \"a\"\r\n# x\r\nmode = \"announce\"\r\n";
        let edited = patched(text, json!({ "name": "b" }));
        assert_eq!(edited, text.replace("\"a\"", "\"b\""));
    }

    #[test]
    fn a_comment_sign_in_a_string_is_none() {
        let text = "a = \"# no \\\" # no\" # yes\nb = '# no' # and\nc = \"\"\"\n# no\n\"\"\"\n";
        assert_eq!(comments(text), ["# yes", "# and"]);
    }

    #[test]
    fn an_empty_entry_of_a_list_is_refused() {
        let patch = json!({ "trunks": [null] });
        let Json::Object(patch) = patch else { unreachable!() };
        assert_eq!(edit("name = \"a\"\n", &patch), Err(EditError::Value("trunks".into())));
    }

    fn texts() -> Vec<String> {
        let mut texts = vec![
            "name=\"x\"\nmode='announce'\ncalling.ring_secs = 5 # dotted\ncalling.setup_secs = 6\n[retry.after]\nbusy = \"1m\" # b\n"
                .to_owned(),
        ];
        for folder in std::fs::read_dir("campaigns").expect("the samples") {
            let file = folder.expect("an entry").path().join("campaign.toml");
            texts.extend(std::fs::read_to_string(file).ok());
        }
        assert!(texts.len() >= 3, "the samples are found");
        texts
    }

    /// A random value of TOML.
    fn value(random: &mut ChaCha8Rng, depth: u32) -> Json {
        match random.random_range(0..if depth == 0 { 4 } else { 7 }) {
            0 => json!(random.random_range(-5..100_000)),
            1 => json!(f64::from(random.random_range(-8..80)) / 4.0),
            2 => json!(random.random_bool(0.5)),
            3 => json!(["", "x", "# no comment", "两\"行\n", "a'b\\c"][random.random_range(0..5)]),
            4 => Json::Array((0..random.random_range(0..4)).map(|_| value(random, depth - 1)).collect()),
            5 => {
                let count = random.random_range(0..3);
                Json::Array((0..count).map(|_| object(random, depth - 1, &[])).collect())
            }
            _ => object(random, depth - 1, &[]),
        }
    }

    fn object(random: &mut ChaCha8Rng, depth: u32, known: &[&String]) -> Json {
        let mut fields = Map::new();
        for _ in 0..random.random_range(0..4) {
            let key = match known.is_empty() || random.random_bool(0.2) {
                true => ["a", "b c", "号", "1"][random.random_range(0..4)].to_owned(),
                false => known[random.random_range(0..known.len())].clone(),
            };
            fields.insert(key, value(random, depth));
        }
        Json::Object(fields)
    }

    /// A random patch of these fields: keys are changed, removed and added at every depth.
    fn patch(random: &mut ChaCha8Rng, fields: &Map<String, Json>) -> Json {
        let known: Vec<&String> = fields.keys().collect();
        let Json::Object(mut patch_of) = object(random, 2, &known) else { unreachable!() };
        for (key, value) in fields {
            match (random.random_range(0..8), value) {
                (0, _) => {
                    patch_of.insert(key.clone(), Json::Null);
                }
                (1..=4, Json::Object(inner)) => {
                    patch_of.insert(key.clone(), patch(random, inner));
                }
                (1..=2, Json::Array(items)) => {
                    let mut items = items.clone();
                    items.truncate(random.random_range(0..=items.len()));
                    if let Some(Json::Object(first)) = items.first_mut() {
                        first.insert("label".into(), json!("changed"));
                    }
                    patch_of.insert(key.clone(), Json::Array(items));
                }
                _ => {}
            }
        }
        Json::Object(patch_of)
    }

    #[test]
    fn random_patches_parse_to_the_merged_fields_and_keep_every_comment() {
        for text in texts() {
            let fields = json_of_text(&text).expect("a text");
            assert_eq!(edit(&text, &Map::new()).as_deref(), Ok(text.as_str()));
            for seed in 0..400 {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                let Json::Object(patch) = patch(&mut random, &fields) else { unreachable!() };
                let shown = Json::Object(patch.clone());
                let edited =
                    edit(&text, &patch).unwrap_or_else(|error| panic!("seed {seed}: {error}: {shown}"));
                let mut wanted = Json::Object(fields.clone());
                merge(&mut wanted, &shown);
                let found = Json::Object(json_of_text(&edited).expect("TOML"));
                assert!(is_same(&found, &wanted), "seed {seed}: {shown}\n{edited}");
                let mut left: Vec<&str> = comments(&edited);
                for comment in comments(&text) {
                    let at = left.iter().position(|it| *it == comment);
                    left.remove(
                        at.unwrap_or_else(|| panic!("seed {seed}: {comment} is lost: {shown}\n{edited}")),
                    );
                }
            }
        }
    }
}
