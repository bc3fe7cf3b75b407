//! Whether a viewer can show a trace: JSON, spans that nest, arrows with both ends.

use serde_json::Value;
use std::collections::BTreeMap;

/// Returns what is wrong with a trace in Chrome's format that begins somewhere in an output, and
/// which of these texts is no name of anything in it.
pub fn complaint(found: &[u8], names: &[String]) -> Option<String> {
    let text = String::from_utf8_lossy(found);
    let Some(at) = text.find("{\"displayTimeUnit\"") else {
        return Some(format!("no trace in {text:?}"));
    };
    check(&text[at..], names).err()
}

fn check(text: &str, names: &[String]) -> Result<(), String> {
    let value: Value = serde_json::Deserializer::from_str(text)
        .into_iter()
        .next()
        .ok_or("the trace is empty")?
        .map_err(|error| format!("no JSON: {error}"))?;
    let events = value["traceEvents"].as_array().ok_or("no traceEvents")?;
    nest(events)?;
    arrows(events)?;
    for wanted in names {
        let is_it = |name: &Value| name.as_str().is_some_and(|name| name.contains(wanted.as_str()));
        if !events.iter().any(|event| is_it(&event["name"]) || is_it(&event["args"]["name"])) {
            return Err(format!("nothing is called {wanted:?}"));
        }
    }
    Ok(())
}

/// Returns a time of an event in ns.
fn ns(event: &Value, key: &str) -> Result<i64, String> {
    let us = event[key].as_f64().ok_or_else(|| format!("no {key} in {event}"))?;
    Ok((us * 1000.0).round() as i64)
}

fn row(event: &Value) -> Result<(u64, u64), String> {
    let number = |key: &str| event[key].as_u64().ok_or_else(|| format!("no {key} in {event}"));
    Ok((number("pid")?, number("tid")?))
}

/// Spans of a row lie within each other or beside each other.
fn nest(events: &[Value]) -> Result<(), String> {
    let mut rows: BTreeMap<(u64, u64), Vec<(i64, i64)>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let from = ns(event, "ts")?;
        rows.entry(row(event)?).or_default().push((from, from + ns(event, "dur")?));
    }
    if rows.is_empty() {
        return Err("nothing lasts".into());
    }
    for (row, mut spans) in rows {
        spans.sort_by_key(|(from, to)| (*from, -*to));
        let mut open: Vec<i64> = Vec::new();
        for (from, to) in spans {
            while open.last().is_some_and(|end| *end <= from) {
                open.pop();
            }
            if open.last().is_some_and(|end| *end < to) {
                return Err(format!("row {row:?}: {from} to {to} crosses {open:?}"));
            }
            open.push(to);
        }
    }
    Ok(())
}

/// Each arrow has a beginning and an end, in this order, in rows that have names.
fn arrows(events: &[Value]) -> Result<(), String> {
    let mut named = Vec::new();
    let mut ends: BTreeMap<u64, Vec<(&str, i64)>> = BTreeMap::new();
    for event in events {
        let phase = event["ph"].as_str().ok_or("an event without phase")?;
        match phase {
            "M" if event["name"] == "thread_name" => named.push(row(event)?),
            "s" | "f" => {
                if !named.contains(&row(event)?) {
                    return Err(format!("a row without a name: {event}"));
                }
                let id = event["id"].as_u64().ok_or("an arrow without id")?;
                ends.entry(id).or_default().push((phase, ns(event, "ts")?));
            }
            _ => {}
        }
    }
    for (id, ends) in ends {
        match ends[..] {
            [("s", from), ("f", to)] if from <= to => {}
            _ => return Err(format!("arrow {id}: {ends:?}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::complaint;

    fn trace(events: &str) -> Vec<u8> {
        format!("output {{\"displayTimeUnit\":\"ns\",\"traceEvents\":[{events}]}} $").into_bytes()
    }

    const NAME: &str = r#"{"ph":"M","name":"thread_name","pid":2,"tid":1,"args":{"name":"x"}},"#;

    fn span(from: &str, lasts: &str) -> String {
        format!(r#"{{"ph":"X","name":"a","pid":2,"tid":1,"ts":{from},"dur":{lasts}}}"#)
    }

    fn end(phase: &str, at: &str) -> String {
        format!(r#"{{"ph":"{phase}","id":7,"pid":2,"tid":1,"ts":{at}}}"#)
    }

    #[test]
    fn nested_spans_and_whole_arrows_are_fine() {
        let events = [span("1.000", "5.000"), span("2.000", "4.000"), span("6.000", "1.000")];
        let arrow = [end("s", "1"), end("f", "1.500")].join(",");
        let events = format!("{NAME}{},{arrow}", events.join(","));
        assert_eq!(complaint(&trace(&events), &["x".into(), "a".into()]), None);
        let missing = complaint(&trace(&events), &["y".into()]).unwrap();
        assert!(missing.contains("called \"y\""), "{missing}");
    }

    #[test]
    fn what_a_viewer_cannot_show_is_told() {
        let crossing = [span("1.000", "5.000"), span("2.000", "6.000")].join(",");
        let half = format!("{NAME}{},{}", span("1", "1"), end("s", "1"));
        let backwards = format!("{NAME}{},{},{}", span("1", "1"), end("s", "2"), end("f", "1"));
        let nameless = format!("{},{}", span("1", "1"), end("s", "1"));
        for (events, fault) in [
            (&crossing[..], "crosses"),
            (&half, "arrow 7"),
            (&backwards, "arrow 7"),
            (&nameless, "without a name"),
            ("", "nothing lasts"),
            ("{", "no JSON"),
        ] {
            let told = complaint(&trace(events), &[]).unwrap();
            assert!(told.contains(fault), "{told}");
        }
        assert!(complaint(b"nothing", &[]).unwrap().contains("no trace"));
    }
}
