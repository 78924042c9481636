//! A proxy before an embedded database. It counts requests, and rejects, cuts or delays them for a test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A fault of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never reaches the database.
    RequestLost,
    /// The database executes it, and the answer is lost.
    AnswerLost,
    /// The database executes it and reports a failure.
    ServerError,
    /// Another transaction holds one of its items.
    Conflict,
    /// A batch returns with all keys unprocessed.
    LeftOver,
    /// Too many requests.
    Throttled,
}

/// The proxy.
#[derive(Debug, Clone)]
pub struct Wire {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The operations that came in.
    requests: Vec<String>,
    /// The transactions that came in, as they were sent.
    transactions: Vec<serde_json::Value>,
    /// The consumed capacity, if recording is on: the operation, and the database's answer.
    consumed: Option<Vec<(String, serde_json::Value)>>,
    /// Faults for the next requests of an operation.
    faults: VecDeque<(&'static str, Fault)>,
    /// The next requests of an operation that are held until released.
    held: VecDeque<(&'static str, Held)>,
}

/// A request held before the database.
#[derive(Debug, Clone, Default)]
pub struct Held {
    arrived: Arc<Notify>,
    released: Arc<Notify>,
}

impl Held {
    /// Waits until the request came in.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Releases it to the database.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl Wire {
    /// A proxy to a database of its own.
    pub async fn to_new_database() -> Self {
        let database = dynoxide::Database::memory().unwrap();
        let behind = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database_port = behind.local_addr().unwrap().port();
        tokio::spawn(dynoxide::server::serve_on(behind, database));
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self { port: front.local_addr().unwrap().port(), state: Arc::default() };
        let state = Arc::clone(&wire.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = front.accept().await {
                tokio::spawn(serve(stream, database_port, Arc::clone(&state)));
            }
        });
        wire
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Injects a fault into the next request of an operation; several are used in turn.
    pub fn fail(&self, operation: &'static str, fault: Fault) {
        self.state.lock().unwrap().faults.push_back((operation, fault));
    }

    /// Holds the next request of an operation, so that others can come first.
    pub fn hold(&self, operation: &'static str) -> Held {
        let held = Held::default();
        self.state.lock().unwrap().held.push_back((operation, held.clone()));
        held
    }

    /// The operations since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// The transactions since the last call, each with its writes.
    pub fn transactions(&self) -> Vec<serde_json::Value> {
        std::mem::take(&mut self.state.lock().unwrap().transactions)
    }

    /// Starts to record the consumed capacity of each request.
    pub fn meter(&self) {
        self.state.lock().unwrap().consumed = Some(Vec::new());
    }

    /// The consumed capacity of the requests since the last call.
    pub fn consumed(&self) -> Vec<(String, serde_json::Value)> {
        self.state.lock().unwrap().consumed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Forgets the operations so far.
    pub fn forget(&self) {
        self.requests();
        self.transactions();
    }
}

async fn serve(mut client: TcpStream, database_port: u16, state: Arc<Mutex<State>>) {
    let mut buffer = Vec::new();
    while let Some((head, body)) = read_message(&mut client, &mut buffer).await {
        let operation = header(&head, "x-amz-target").and_then(|t| t.split('.').nth(1).map(str::to_owned));
        let Some(operation) = operation else { return };
        let (fault, held) = {
            let mut state = state.lock().unwrap();
            state.requests.push(operation.clone());
            if operation == "TransactWriteItems" {
                state.transactions.push(serde_json::from_slice(&body).unwrap());
            }
            let place = state.faults.iter().position(|(of, _)| *of == operation);
            let fault = place.and_then(|place| state.faults.remove(place)).map(|(_, fault)| fault);
            let place = state.held.iter().position(|(of, _)| *of == operation);
            (fault, place.and_then(|place| state.held.remove(place)))
        };
        if let Some((_, held)) = held {
            held.arrived.notify_one();
            held.released.notified().await;
        }
        let canned = match fault {
            Some(Fault::RequestLost) => return,
            Some(Fault::Conflict) => Some((400, conflict(&body))),
            Some(Fault::Throttled) => Some((
                400,
                r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"slow down"}"#
                    .to_owned(),
            )),
            Some(Fault::LeftOver) => {
                let request: serde_json::Value = serde_json::from_slice(&body).unwrap();
                Some((
                    200,
                    serde_json::json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]})
                        .to_string(),
                ))
            }
            Some(Fault::AnswerLost | Fault::ServerError) | None => None,
        };
        let answer = match canned {
            Some((status, body)) => message(status, &body),
            None => metered(database_port, &head, &body, &operation, &state).await,
        };
        let answer = match fault {
            Some(Fault::AnswerLost) => return,
            Some(Fault::ServerError) => message(
                500,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"it failed"}"#,
            ),
            _ => answer,
        };
        if client.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// A cancelled transaction: another one held the last of its items.
fn conflict(body: &[u8]) -> String {
    let request: serde_json::Value = serde_json::from_slice(body).unwrap();
    let items = request["TransactItems"].as_array().unwrap().len();
    let mut reasons = vec![serde_json::json!({"Code": "None"}); items];
    reasons[items - 1] =
        serde_json::json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"});
    serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    })
    .to_string()
}

fn message(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends a request to the database, and requests its capacity if recording is on.
async fn metered(port: u16, head: &str, body: &[u8], operation: &str, state: &Mutex<State>) -> Vec<u8> {
    if state.lock().unwrap().consumed.is_none() {
        return forward(port, head, body).await;
    }
    let mut request: serde_json::Value = serde_json::from_slice(body).unwrap();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let body = request.to_string();
    let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
    let head = format!(
        "{}\r\ncontent-length: {}\r\n\r\n",
        lines.collect::<Vec<_>>().join("\r\n").trim_end(),
        body.len()
    );
    let answer = forward(port, &head, body.as_bytes()).await;
    let start = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let json: serde_json::Value = serde_json::from_slice(&answer[start..]).unwrap();
    if let Some(consumed) = &mut state.lock().unwrap().consumed {
        consumed.push((operation.to_owned(), json["ConsumedCapacity"].clone()));
    }
    answer
}

/// Sends a request to the database on its own connection.
async fn forward(port: u16, head: &str, body: &[u8]) -> Vec<u8> {
    let mut database = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    database.write_all(head.trim_end().as_bytes()).await.unwrap();
    database.write_all(b"\r\n\r\n").await.unwrap();
    database.write_all(body).await.unwrap();
    let (head, body) = read_message(&mut database, &mut Vec::new()).await.unwrap();
    let mut answer = head.into_bytes();
    answer.extend(body);
    answer
}

/// One message: its head with the empty line, and its body.
async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end + 4]).into_owned();
            let length: usize = header(&head, "content-length").map_or(0, |l| l.parse().unwrap());
            if buffer.len() >= end + 4 + length {
                let body = buffer[end + 4..end + 4 + length].to_vec();
                buffer.drain(..end + 4 + length);
                return Some((head, body));
            }
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => buffer.extend(&chunk[..n]),
            _ => return None,
        }
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
