//! Asks the questions of the matrix with the crate `clickhouse`, over HTTP.

use std::{env, error::Error, time::Duration};

use clickhouse::{Client, Row, query::Query};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What DESCRIBE returns: the crate wants a field for each column.
#[derive(Row, Deserialize)]
#[allow(dead_code)]
struct Described {
    name: String,
    r#type: String,
    default_type: String,
    default_expression: String,
    comment: String,
    codec_expression: String,
    ttl_expression: String,
}

/// Strings that may have any bytes are hexadecimal: the crate's `String` is UTF-8.
#[derive(Row, Deserialize)]
struct Values {
    lowest: Option<i64>,
    highest: Option<i64>,
    absent: Option<String>,
    raw: Option<String>,
    broken: Option<String>,
}

/// A column of a script may be NULL.
#[derive(Row, Deserialize)]
struct Number {
    x: Option<i64>,
}

async fn count(query: Query) -> Outcome<String> {
    Ok(query.fetch_one::<u64>().await?.to_string())
}

async fn stream(client: &Client, sql: &str) -> Outcome<Value> {
    let mut rows = client.query(sql).fetch::<Number>()?;
    let (mut count, mut sum) = (0u64, 0i128);
    while let Some(Number { x }) = rows.next().await? {
        count += 1;
        sum += i128::from(x.ok_or("a number is NULL")?);
    }
    Ok(json!([count.to_string(), sum.to_string()]))
}

/// Dropping the future of a query closes its connection, which cancels it.
async fn cancel(client: &Client, endless: &str, running: &str) -> Outcome<String> {
    let asked = client.clone();
    let sql = endless.to_owned();
    let task = tokio::spawn(async move { asked.query(&sql).fetch_one::<Number>().await.map(|_| ()) });
    while count(client.query(running)).await? == "0" {
        sleep(Duration::from_millis(100)).await;
    }
    task.abort();
    let said = match task.await {
        Err(error) if error.is_cancelled() => "cancelled".to_owned(),
        other => format!("{other:?}"),
    };
    while count(client.query(running)).await? != "0" {
        sleep(Duration::from_millis(100)).await;
    }
    Ok(said)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let ask: Value = serde_json::from_str(&env::var("QUESTIONS")?)?;
    let text = |name: &str| ask[name].as_str().unwrap_or_default().to_owned();
    let client = Client::default()
        .with_url(format!("http://127.0.0.1:{}", env::var("HTTP_PORT")?))
        .with_user("analyst")
        .with_password(env::var("PASSWORD")?)
        .with_database("bigtrace");
    let described = client
        .query(&text("describe"))
        .fetch_all::<Described>()
        .await?;
    let describe: Vec<_> = described.into_iter().map(|one| json!([one.name, one.r#type])).collect();
    let mut bound = client.query(ask["bind"]["sql"].as_str().unwrap_or_default());
    for (name, value) in ask["bind"]["parameters"].as_object().into_iter().flatten() {
        bound = bound.param(name, value.as_str());
    }
    let failed = client.query(&text("error")).fetch_one::<Number>().await;
    let values = client.query(&text("values_hex")).fetch_one::<Values>().await?;
    let decimal = |n: Option<i64>| n.map(|n| n.to_string());
    let answers = json!({
        "describe": describe,
        "aggregate": count(client.query(&text("aggregate"))).await?,
        "join": count(client.query(&text("join"))).await?,
        "error": failed.err().map(|error| error.to_string()),
        "bind": count(bound).await?,
        "values": [decimal(values.lowest), decimal(values.highest), values.absent, values.raw, values.broken],
        "stream": stream(&client, &text("stream")).await?,
        "cancel": cancel(&client, &text("endless"), &text("running")).await?,
    });
    println!("{answers}");
    Ok(())
}
