//! A campaign's folder as a zip from a stranger. What its directory says is checked before anything is unpacked; what
//! is unpacked is bounded by what the directory said, so a lie costs no more than the truth.

use super::context::Words;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zip::ZipArchive;

/// Files of a folder.
const MEMBERS_MAX: usize = 64;
/// Bytes of the zip's directory: 64 names and what zip programs note beside them.
const DIRECTORY_MAX: u32 = 1 << 20;
/// Unpacked bytes of all files.
const UNPACKED_MAX: u64 = 1 << 30;
/// Unpacked bytes of a file as a multiple of its packed ones. Small files are not judged by it.
const RATIO_MAX: u64 = 100;
const RATIO_FROM: u64 = 1 << 20;
/// Bytes of the end record of a zip (APPNOTE.TXT 4.3.16) and of the zip64 locator before it (4.3.15).
const END: usize = 22;
const LOCATOR: usize = 20;
/// Bytes that are unpacked between two looks at the task's wish to end.
const PIECE: usize = 1 << 16;

/// The campaign's text in a folder.
pub const TEXT_NAME: &str = "campaign.toml";
/// Largest text, as over the API.
pub const TEXT_MAX: u64 = 64 << 10;

/// A file in the zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// Unpacked, as the directory says.
    pub bytes: u64,
    at: usize,
}

/// A zip whose directory is that of a campaign's folder.
pub struct FolderZip {
    archive: ZipArchive<BufReader<File>>,
    members: Vec<Member>,
}

fn refused(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words::new(en, zh)
}

/// A name from the zip in a sentence.
fn shown(name: &str) -> String {
    name.chars().take(80).collect::<String>().escape_debug().to_string()
}

impl FolderZip {
    /// Opens a zip and checks its directory. CPU and disk work; not for an async task.
    ///
    /// # Errors
    /// What was found, where, and what to do.
    pub fn open(path: &Path) -> Result<FolderZip, Words> {
        let unreadable = |error: io::Error| {
            refused(format!("the zip cannot be read: {error}"), format!("压缩包无法读取:{error}"))
        };
        let mut file = File::open(path).map_err(unreadable)?;
        check_end(&mut file).map_err(unreadable)??;
        let damaged = |error: zip::result::ZipError| {
            refused(
                format!("the zip is damaged ({error}): pack the folder again"),
                format!("压缩包已损坏({error}),请重新打包"),
            )
        };
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        if archive.has_duplicate_names() {
            return Err(refused(
                "the zip has two files of one name: take one of them out",
                "压缩包中有两个同名文件,请去掉一个",
            ));
        }
        let members = check_members(&mut archive)?;
        if archive.has_overlapping_files().map_err(damaged)? {
            return Err(refused(
                "two files of the zip share their bytes: pack the folder again",
                "压缩包中有文件的数据互相重叠,请重新打包",
            ));
        }
        Ok(FolderZip { archive, members })
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The campaign's text.
    ///
    /// # Errors
    /// It is not there, too long, damaged, or no text.
    pub fn text(&mut self) -> Result<String, Words> {
        let Some(member) = self.member(TEXT_NAME) else {
            return Err(refused(
                "the zip has no campaign.toml: pack the files of the campaign's folder, without the folder itself",
                "压缩包中没有 campaign.toml:请直接打包任务文件夹内的文件,不要包含文件夹本身",
            ));
        };
        if member.bytes > TEXT_MAX {
            let bytes = member.bytes;
            return Err(refused(
                format!("campaign.toml has {bytes} bytes, and a campaign's text at most {TEXT_MAX}"),
                format!("campaign.toml 有 {bytes} 字节,最多 {TEXT_MAX} 字节"),
            ));
        }
        let mut bytes = Vec::new();
        self.unpack(TEXT_NAME, &mut bytes, &mut |_| Ok::<(), Words>(()))?;
        String::from_utf8(bytes).map_err(|_| {
            refused(
                "campaign.toml is not UTF-8: save it as UTF-8",
                "campaign.toml 不是 UTF-8 编码,请另存为 UTF-8",
            )
        })
    }

    /// Unpacks a file in pieces; `progress` gets the bytes of each.
    ///
    /// # Errors
    /// The file is not there, damaged or longer than the directory says; it cannot be written; or `progress` ends it.
    pub fn unpack<E: From<Words>>(
        &mut self,
        name: &str,
        out: &mut impl Write,
        progress: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let gone =
            || refused(format!("the zip has no `{}`", shown(name)), format!("压缩包中没有“{}”", shown(name)));
        let member = self.member(name).cloned().ok_or_else(gone)?;
        let damaged = |error: &dyn std::fmt::Display| {
            let name = shown(name);
            refused(
                format!("`{name}` in the zip cannot be unpacked ({error}): pack the folder again"),
                format!("压缩包中的“{name}”无法解压({error}),请重新打包"),
            )
        };
        let source = self.archive.by_index(member.at).map_err(|error| damaged(&error))?;
        let mut source = source.take(member.bytes + 1);
        let (mut piece, mut unpacked) = (vec![0; PIECE], 0);
        loop {
            let read = source.read(&mut piece).map_err(|error| damaged(&error))?;
            if read == 0 {
                break;
            }
            unpacked += read as u64;
            if unpacked > member.bytes {
                return Err(damaged(&"it is longer than the zip says").into());
            }
            out.write_all(&piece[..read]).map_err(|error| {
                let (en, zh) =
                    (format!("the disk cannot be written: {error}"), format!("磁盘无法写入:{error}"));
                Words::new(en, zh)
            })?;
            progress(read as u64)?;
        }
        if unpacked < member.bytes {
            return Err(damaged(&"it is shorter than the zip says").into());
        }
        Ok(())
    }
}

/// Checks the end record before the directory is read into memory. The outer error is the disk's.
fn check_end(file: &mut File) -> io::Result<Result<(), Words>> {
    let size = file.seek(SeekFrom::End(0))?;
    let no_zip =
        || refused("this is no zip: pack the campaign's folder as .zip", "这不是 zip 压缩包,请打包成 .zip");
    let mut head = [0; 4];
    file.rewind()?;
    let is_zip = size >= END as u64
        && file.read_exact(&mut head).is_ok()
        && (head == *b"PK\x03\x04" || head == *b"PK\x05\x06");
    if !is_zip {
        return Ok(Err(no_zip()));
    }
    let tail_size = (size as usize).min(END + LOCATOR);
    let mut tail = vec![0; tail_size];
    file.seek(SeekFrom::End(-(tail_size as i64)))?;
    file.read_exact(&mut tail)?;
    file.rewind()?;
    let (before, end) = tail.split_at(tail_size - END);
    let half = |at: usize| u16::from_le_bytes([end[at], end[at + 1]]);
    let directory = u32::from_le_bytes([end[12], end[13], end[14], end[15]]);
    if !end.starts_with(b"PK\x05\x06") || half(20) != 0 {
        return Ok(Err(refused(
            "the zip has no end: it was cut off, or carries a comment; pack the folder again",
            "压缩包没有结尾:可能不完整或带有注释,请重新打包",
        )));
    }
    let members = usize::from(half(10));
    if members > MEMBERS_MAX {
        return Ok(Err(refused(
            format!("the zip has {members} files, and a campaign's folder at most {MEMBERS_MAX}"),
            format!("压缩包中有 {members} 个文件,任务文件夹最多 {MEMBERS_MAX} 个"),
        )));
    }
    if directory > DIRECTORY_MAX || half(8) != half(10) || before.starts_with(b"PK\x06\x07") {
        return Ok(Err(refused(
            "the zip is of a form for far more or larger files: pack the folder as a plain zip",
            "压缩包为超大文件格式,请打包成普通 zip",
        )));
    }
    Ok(Ok(()))
}

/// UTF-8, or as Chinese Windows writes names.
fn decoded(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(raw).0.into_owned(),
    }
}

fn check_members(archive: &mut ZipArchive<BufReader<File>>) -> Result<Vec<Member>, Words> {
    let (mut members, mut total) = (Vec::<Member>::new(), 0_u64);
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|error| {
            refused(
                format!("the zip is damaged ({error}): pack the folder again"),
                format!("压缩包已损坏({error}),请重新打包"),
            )
        })?;
        let name = decoded(member.name_raw());
        let (packed, bytes) = (member.compressed_size(), member.size());
        check_name(&name)?;
        let shown = shown(&name);
        // The type bits of a Unix mode: a plain file, or none noted.
        let is_plain = member.unix_mode().is_none_or(|mode| matches!(mode & 0o170_000, 0 | 0o100_000));
        if member.is_symlink() || !is_plain {
            return Err(refused(
                format!("`{shown}` in the zip is a link: put the file itself in"),
                format!("压缩包中的“{shown}”是链接,请放入文件本身"),
            ));
        }
        if member.encrypted() {
            return Err(refused(
                format!("`{shown}` in the zip is encrypted: pack the folder without a password"),
                format!("压缩包中的“{shown}”已加密,请不加密码重新打包"),
            ));
        }
        drop(member);
        if let Some(twin) = members.iter().find(|it| it.name.to_lowercase() == name.to_lowercase()) {
            let other = self::shown(&twin.name);
            return Err(refused(
                format!("the zip has `{other}` and `{shown}`: take one of them out, or give it another name"),
                format!("压缩包中有“{other}”和“{shown}”,请去掉一个或改名"),
            ));
        }
        total = total.saturating_add(bytes);
        if total > UNPACKED_MAX {
            let most = UNPACKED_MAX >> 20;
            return Err(refused(
                format!("the zip unpacks to more than {most} MiB: leave lists out and upload them later"),
                format!("压缩包解压后超过 {most} MiB:请先不放名单,之后再上传"),
            ));
        }
        let ratio = bytes / packed.max(1);
        if bytes > RATIO_FROM && ratio > RATIO_MAX {
            return Err(refused(
                format!(
                    "`{shown}` in the zip unpacks to {ratio} times its size, and a file of a campaign at most to {RATIO_MAX}"
                ),
                format!("压缩包中的“{shown}”解压后是原来的 {ratio} 倍,最多 {RATIO_MAX} 倍"),
            ));
        }
        members.push(Member { name, bytes, at });
    }
    Ok(members)
}

fn check_name(name: &str) -> Result<(), Words> {
    let shown = shown(name);
    if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with(['/', '\\']) || name.contains(':')
    {
        return Err(refused(
            format!("`{shown}` leads out of the zip: pack the files of the campaign's folder alone"),
            format!("压缩包中的“{shown}”指向文件夹之外,请只打包任务文件夹内的文件"),
        ));
    }
    if name.contains(['/', '\\']) {
        return Err(refused(
            format!("`{shown}` lies in a folder: pack the files themselves, without a folder around them"),
            format!("压缩包中的“{shown}”在文件夹里,请直接打包文件,不要包含文件夹"),
        ));
    }
    if !crate::config::campaign::is_flat(name) {
        return Err(refused(
            format!("`{shown}` is no name for a file: at most 255 bytes, no control character"),
            format!("“{shown}”不能作为文件名:最多 255 字节,不含控制字符"),
        ));
    }
    Ok(())
}

/// Writes a campaign's folder as a zip: its text, then these files. The same folder gives the same bytes.
///
/// # Errors
/// A file cannot be read, or the zip cannot be written.
pub fn write_folder(
    out: impl Write + Seek,
    text: &str,
    parts: &[(String, std::path::PathBuf)],
) -> io::Result<()> {
    let options = zip::write::SimpleFileOptions::default()
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    let mut archive = zip::ZipWriter::new(out);
    archive.start_file(TEXT_NAME, options)?;
    archive.write_all(text.as_bytes())?;
    for (name, path) in parts {
        let mut source =
            File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        archive.start_file(name.as_str(), options)?;
        io::copy(&mut source, &mut archive)?;
    }
    archive.finish()?;
    Ok(())
}
