//! One client at a screen, from `ClientInit` on.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use super::canvas::{Area, Canvas};
use super::messages::{Message, PixelFormat};
use super::{Contents, Screen, keys};

const NAME: &[u8] = b"consolepass demo screen";

/// What the client asked for and has not been sent yet.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    format: PixelFormat,
    update: Option<Update>,
}

#[derive(Debug, Clone, Copy)]
struct Update {
    incremental: bool,
    area: Area,
}

/// Counts a client for as long as it is there.
struct Presence<'a> {
    contents: &'a watch::Sender<Contents>,
    number: u64,
}

/// Serves one client whose security is settled, at the given size in pixels, until either side leaves.
pub(crate) async fn serve<S>(screen: &Screen, stream: S, width: u16, height: u16) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let shared = reader.read_u8().await? != 0;
    let mut contents = screen.contents.subscribe();
    contents.mark_unchanged();
    let presence = Presence::enter(&screen.contents, shared);
    writer.write_all(&server_init(width, height)).await?;
    writer.flush().await?;

    let wanted = watch::Sender::new(Wanted { format: PixelFormat::PREFERRED, update: None });
    let size = Area { x: 0, y: 0, width: width.into(), height: height.into() };
    // Whichever direction ends takes the other with it.
    tokio::select! {
        ended = listen(&mut reader, screen, &wanted, size) => ended,
        ended = show(&mut writer, contents, &wanted, size, presence.number) => ended,
    }
}

/// Takes note of what the client does.
async fn listen(
    reader: &mut (impl AsyncRead + Unpin),
    screen: &Screen,
    wanted: &watch::Sender<Wanted>,
    size: Area,
) -> io::Result<()> {
    loop {
        match Message::read(reader).await? {
            Message::SetPixelFormat(format) => wanted.send_modify(|wanted| wanted.format = format),
            Message::SetEncodings => {}
            Message::UpdateRequest { incremental, x, y, width, height } => {
                let update = Update { incremental, area: clip(size, x, y, width, height) };
                wanted.send_modify(|wanted| wanted.update = Some(merge(wanted.update, update)));
            }
            Message::Key { keysym, down } => {
                screen.contents.send_modify(|contents| keys::press(contents, keysym, down));
            }
            Message::Pointer { buttons, x, y } => screen.contents.send_modify(|contents| {
                contents.pointer = Some((x, y, buttons));
                contents.pointer_events += 1;
            }),
            Message::CutText(text) => screen.contents.send_modify(|contents| contents.clipboard = text),
        }
    }
}

/// Sends what has changed when it was asked for, and what the guest copied.
async fn show(
    writer: &mut (impl AsyncWrite + Unpin),
    mut contents: watch::Receiver<Contents>,
    wanted: &watch::Sender<Wanted>,
    size: Area,
    number: u64,
) -> io::Result<()> {
    let mut requests = wanted.subscribe();
    let mut offers_seen = contents.borrow().offered.0;
    let mut shown: Option<Canvas> = None;
    loop {
        let now = contents.borrow_and_update().clone();
        if number < now.alone_from {
            return Ok(());
        }
        if now.offered.0 != offers_seen {
            offers_seen = now.offered.0;
            writer.write_all(&cut_text(&now.offered.1)).await?;
        }
        let Wanted { format, update } = *requests.borrow_and_update();
        if let Some(update) = update {
            let canvas = Canvas::draw(&now, size.width, size.height);
            let changed = match &shown {
                Some(shown) if update.incremental => canvas.difference(shown, update.area),
                _ => Some(update.area),
            };
            if let Some(area) = changed {
                wanted.send_modify(|wanted| wanted.update = None);
                requests.mark_unchanged();
                writer.write_all(&raw_update(&canvas, area, format)).await?;
                shown = Some(canvas);
            }
        }
        writer.flush().await?;
        tokio::select! {
            changed = contents.changed() => if changed.is_err() { return Ok(()) },
            changed = requests.changed() => if changed.is_err() { return Ok(()) },
        }
    }
}

impl<'a> Presence<'a> {
    fn enter(contents: &'a watch::Sender<Contents>, shared: bool) -> Self {
        let mut number = 0;
        contents.send_modify(|contents| {
            contents.clients += 1;
            contents.clients_ever += 1;
            number = contents.clients_ever;
            if !shared {
                contents.alone_from = number;
            }
        });
        Self { contents, number }
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.contents.send_modify(|contents| contents.clients -= 1);
    }
}

/// A request that waits is joined by a later one; the picture as a whole is asked for if either asks for it.
fn merge(waiting: Option<Update>, new: Update) -> Update {
    let Some(waiting) = waiting else { return new };
    let (a, b) = (waiting.area, new.area);
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
    Update {
        incremental: waiting.incremental && new.incremental,
        area: Area { x, y, width: right - x, height: bottom - y },
    }
}

fn clip(size: Area, x: u16, y: u16, width: u16, height: u16) -> Area {
    let (x, y) = (usize::from(x).min(size.width), usize::from(y).min(size.height));
    Area { x, y, width: usize::from(width).min(size.width - x), height: usize::from(height).min(size.height - y) }
}

fn server_init(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    bytes.extend(PixelFormat::PREFERRED.to_bytes());
    bytes.extend(u32::try_from(NAME.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(NAME);
    bytes
}

fn raw_update(canvas: &Canvas, area: Area, format: PixelFormat) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1];
    for side in [area.x, area.y, area.width, area.height] {
        bytes.extend(u16::try_from(side).unwrap_or(u16::MAX).to_be_bytes());
    }
    bytes.extend(0_i32.to_be_bytes());
    for y in area.y..area.y + area.height {
        for &colour in canvas.row(y, area.x, area.width) {
            format.push(colour, &mut bytes);
        }
    }
    bytes
}

fn cut_text(text: &str) -> Vec<u8> {
    let latin1: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect();
    let mut bytes = vec![3, 0, 0, 0];
    bytes.extend(u32::try_from(latin1.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(latin1);
    bytes
}
