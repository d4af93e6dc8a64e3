//! A device and its controller over one stream: telegrams of fixed layout, typed failures, limits for each
//! request, and the device asking back.
//!
//! `RUST_LOG=packetstream=debug device` shows on standard error what the connections do, and how long each call and each
//! request took; `packetstream=trace` each packet, too.
//!
//! Both ends run here; in earnest the controller would open `exec:ssh host device-server`, or a socket.

use packetstream::{
    Bytes, Context, Failure, Fulfil, HasPacketConnection, PacketConnection, Payload, Protocol, Reply,
    Request, RequestError, Stream, serve,
};
use packetstream_examples::error_line::one_line;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// What the controller asks the device.
#[derive(Debug, Protocol)]
#[packetstream(client = Device)]
enum DeviceProtocol {
    /// Asks what the device is.
    #[request(0)]
    Identify(Identify),
    /// Writes to the device's memory.
    #[request(1)]
    Write(Write),
    /// Hands bytes through to the device's bus.
    #[request(0x10)]
    Transfer(Transfer),
}

/// What the device asks the controller.
#[derive(Debug, Protocol)]
#[packetstream(client = Controller)]
enum ControllerProtocol {
    /// May the device erase a page?
    #[request(0)]
    MayErase(MayErase),
}

#[derive(Debug, Request)]
#[request(reply = Identity)]
struct Identify;

#[derive(Debug, PartialEq, Payload)]
#[payload(magic = b"DEV1")]
struct Identity {
    #[payload(little)]
    serial: u32,
    #[payload(big)]
    firmware: u16,
    #[payload(with = milliseconds)]
    uptime: Duration,
    /// When this was told, by the clock of whoever was told it.
    #[payload(skip, default = Instant::now())]
    told: Instant,
}

impl Identity {
    /// How long the device has been up by now.
    fn age(&self) -> Duration {
        self.uptime + self.told.elapsed()
    }
}

/// Times in whole milliseconds.
mod milliseconds {
    use packetstream::{PayloadError, PayloadReader, PayloadWriter};
    use std::time::Duration;

    pub(super) fn parse(reader: &mut PayloadReader) -> Result<Duration, PayloadError> {
        reader.uint().map(Duration::from_millis)
    }

    pub(super) fn transcribe(duration: &Duration, out: &mut PayloadWriter) {
        out.uint(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    }
}

/// Memory is slow, and there is one of it: a thread that may block does one request after the other.
#[derive(Clone, Debug, Request)]
#[request(error = WriteError, max_payload = 4096, timeout = "10s", ordered, blocking)]
struct Write {
    #[request(big)]
    address: u16,
    #[request(little)]
    length: u16,
    #[request(count = length)]
    data: Vec<u8>,
}

#[derive(Debug, Payload, thiserror::Error)]
enum WriteError {
    #[error("nothing is at {0:#06x}")]
    BadAddress(#[payload(big)] u16),
    #[error("the controller would not have page {page} erased")]
    Denied { page: u64 },
}

#[derive(Debug, Request)]
#[request(reply = Reply)]
struct Transfer {
    #[request(flags)]
    registers: u64,
    #[request(rest)]
    bytes: Bytes,
}

#[derive(Debug, Request)]
#[request(reply = bool)]
struct MayErase {
    page: u64,
}

const PAGE: usize = 256;
const MEMORY: usize = 4 * PAGE;

struct Simulated {
    memory: Mutex<[u8; MEMORY]>,
}

impl Fulfil<Identify> for Simulated {
    async fn fulfil(&self, _: Identify, _: Context) -> Result<Identity, Failure> {
        let uptime = Duration::from_hours(1);
        Ok(Identity { serial: 0x00c0_ffee, firmware: 0x0102, uptime, told: Instant::now() })
    }
}

impl Fulfil<Write> for Simulated {
    async fn fulfil(&self, Write { address, length, data }: Write, cx: Context) -> Result<(), WriteError> {
        let place = usize::from(address)..usize::from(address) + usize::from(length);
        if place.end > MEMORY {
            return Err(WriteError::BadAddress(address));
        }
        let page = (place.start / PAGE) as u64;
        if page > 0 && !cx.peer::<Controller>().may_erase(MayErase { page }).await.is_ok_and(|yes| yes) {
            return Err(WriteError::Denied { page });
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory[place].copy_from_slice(&data);
        Ok(())
    }
}

impl Fulfil<Transfer> for Simulated {
    async fn fulfil(&self, Transfer { registers, bytes }: Transfer, _: Context) -> Result<Reply, Failure> {
        Ok(Reply { flags: registers, payload: bytes.iter().rev().copied().collect() })
    }
}

struct Operator;

impl Fulfil<MayErase> for Operator {
    async fn fulfil(&self, MayErase { page }: MayErase, _: Context) -> Result<bool, Failure> {
        println!("device asks: may I erase page {page}?");
        Ok(page == 1)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let filter = EnvFilter::from_default_env();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::CLOSE);
    log.with_ansi(false).with_writer(io::stderr).init();

    let (here, there) = Stream::pair(4096);
    let simulated = serve::<DeviceProtocol, _>(Simulated { memory: Mutex::new([0; MEMORY]) });
    tokio::spawn(PacketConnection::builder().name("device").handler(simulated).serve(there));
    let operator = serve::<ControllerProtocol, _>(Operator);
    let device = Device::from(PacketConnection::builder().name("controller").handler(operator).spawn(here));
    let operated = operate(&device).await;
    device.connection().close();
    device.connection().closed().await;
    match operated {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("device: {}", one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn operate(device: &Device) -> Result<(), Box<dyn Error>> {
    let identity = device.identify(Identify).await?;
    let (Identity { serial, firmware, .. }, minutes) = (&identity, identity.age().as_secs() / 60);
    println!("device {serial:#x}, firmware {firmware:#06x}, up for {minutes} min");

    for (address, length) in [(0x0010, 32), (0x0100, 32), (0x0200, 32), (0xfff0, 32), (0x0000, 5000)] {
        match device.write(Write { address, length: 0, data: vec![0xa5; length] }).await {
            Ok(()) => println!("wrote {length} bytes at {address:#06x}"),
            Err(RequestError::Failed(error)) => println!("not written: {error}"),
            Err(RequestError::NotSent(reason)) => println!("not even sent: {reason}"),
            Err(error) => return Err(error.into()),
        }
    }

    let transfer = Transfer { registers: 0x55, bytes: Bytes::from_static(b"olleh") };
    let Reply { flags, payload } = device.transfer(transfer).await?;
    println!("the bus answers {:?} with registers {flags:#x}", payload.escape_ascii().to_string());
    Ok(())
}
