//! A name server on loopback that answers out of a table, by UDP and TCP.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// What is said of a name and kind.
#[derive(Clone)]
pub enum Said {
    /// These records, with a time to live of nothing.
    Records(Vec<(&'static str, RData)>),
    /// This code and nothing else.
    Code(ResponseCode),
    /// Nothing at all.
    Silence,
}

/// A running name server.
pub struct NameServer {
    pub addr: SocketAddr,
    _tasks: JoinSet<()>,
}

/// Its table.
pub type Table = BTreeMap<(&'static str, RecordType), Said>;

pub fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

pub fn mx(preference: u16, host: &str) -> RData {
    RData::MX(MX::new(preference, name(host)))
}

pub fn a(address: &str) -> RData {
    RData::A(A(address.parse::<Ipv4Addr>().unwrap()))
}

pub fn cname(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

impl NameServer {
    pub async fn start(table: Table) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            // The same port by TCP may be taken by somebody else.
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let addr = udp.local_addr().unwrap();
        let table = Arc::new(table);
        let mut tasks = JoinSet::new();
        tasks.spawn(by_udp(udp, table.clone()));
        tasks.spawn(by_tcp(tcp, table));
        Self { addr, _tasks: tasks }
    }
}

async fn by_udp(socket: UdpSocket, table: Arc<Table>) {
    let mut buffer = vec![0; 4_096];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
        let question = Message::from_vec(&buffer[..length]).unwrap();
        let Some(mut answer) = answer(&table, &question) else {
            continue;
        };
        let mut bytes = answer.to_vec().unwrap();
        if bytes.len() > 1_200 {
            answer.answers.clear();
            answer.metadata.truncation = true;
            bytes = answer.to_vec().unwrap();
        }
        socket.send_to(&bytes, peer).await.unwrap();
    }
}

async fn by_tcp(listener: TcpListener, table: Arc<Table>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        while let Ok(length) = stream.read_u16().await {
            let mut bytes = vec![0; length.into()];
            stream.read_exact(&mut bytes).await.unwrap();
            let Some(answer) = answer(&table, &Message::from_vec(&bytes).unwrap()) else {
                continue;
            };
            let bytes = answer.to_vec().unwrap();
            stream.write_u16(u16::try_from(bytes.len()).unwrap()).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        }
    }
}

fn answer(table: &Table, question: &Message) -> Option<Message> {
    let query = question.queries[0].clone();
    let asked = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let mut answer = Message::response(question.id, question.op_code);
    answer.add_query(query.clone());
    let at = |kind| {
        let key = table
            .keys()
            .find(|(name, its_kind)| *name == asked && *its_kind == kind)?;
        table.get(key)
    };
    let said = at(query.query_type()).or_else(|| at(RecordType::CNAME));
    match said {
        Some(Said::Records(records)) => {
            for (owner, data) in records {
                answer.add_answer(Record::from_rdata(name(owner), 0, data.clone()));
            }
        }
        Some(Said::Code(code)) => answer.metadata.response_code = *code,
        Some(Said::Silence) => return None,
        None => {
            let exists = table.keys().any(|(name, _)| *name == asked);
            if !exists {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            let soa = SOA::new(name("ns.test"), name("post.test"), 1, 60, 60, 60, 60);
            answer.add_authority(Record::from_rdata(name("test"), 60, RData::SOA(soa)));
        }
    }
    Some(answer)
}
