"""Reading: every format gives back the tone that went in, every failure says what to do."""

import io
import os
import subprocess
import sys
import threading
import tracemalloc
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile

from voxplain.audio.read import blocks, find_files, promised_duration, read, source_name
from voxplain.errors import AudioError, ConfigError, InputError, TooShort

BROKEN = Path(__file__).parents[3] / "shared/data/broken"
LOSSLESS, LOSSY = 0.002, 0.06  # seconds by which the length may differ


def tone(rate=16_000, seconds=1.0, channels=1, amplitude=0.5):
    """440 Hz, (samples, channels)."""
    times = np.arange(round(rate * seconds)) / rate
    return np.repeat(amplitude * np.sin(2 * np.pi * 440 * times)[:, None], channels, axis=1)


def encode(path, codec, *, rate=48_000, seconds=1.0, options=None):
    """Write a stereo tone with PyAV."""
    samples = np.ascontiguousarray(tone(rate, seconds, 2).T, np.float32)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        for start in range(0, samples.shape[1], 960):
            part = np.ascontiguousarray(samples[:, start : start + 960])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def film(path, pix_fmt="yuv420p", codec="mpeg4"):
    """Write pictures without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = pix_fmt
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def wav(path, samples=None, rate=16_000, subtype="FLOAT"):
    soundfile.write(path, tone(rate) if samples is None else samples, rate, subtype)
    return path


def assert_is_tone(audio, *, seconds=1.0, within=LOSSLESS, amplitude=0.5):
    assert audio.sampling_rate == 16_000
    assert audio.waveform.dtype == np.float32
    assert audio.waveform.ndim == 1
    assert abs(audio.duration - seconds) <= within
    middle = audio.waveform[len(audio.waveform) // 10 : -len(audio.waveform) // 10]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 16_000 * 4))
    assert abs(spectrum.argmax() / 4 - 440) < 1
    loss = 0.01 if within == LOSSLESS else 0.05
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(amplitude, rel=loss)


# What comes in


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_rates(tmp_path, rate):
    audio = read(wav(tmp_path / "tone.wav", tone(rate, 1.234), rate))
    assert_is_tone(audio, seconds=1.234)
    assert abs(len(audio.waveform) - round(rate * 1.234) * 16_000 / rate) <= 1


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_depths(tmp_path, subtype):
    assert_is_tone(read(wav(tmp_path / "tone.wav", subtype=subtype)))


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_telephone_codecs(tmp_path, subtype):
    path = wav(tmp_path / "tone.wav", tone(8_000), 8_000, subtype)
    assert_is_tone(read(path), within=LOSSY)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_channels(tmp_path, channels):
    assert_is_tone(read(wav(tmp_path / "tone.wav", tone(48_000, channels=channels), 48_000)))


def test_channels_are_averaged(tmp_path):
    samples = np.repeat([[0.75, 0.25, -0.25]], 16_000, axis=0)
    assert read(wav(tmp_path / "three.wav", samples)).waveform == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("suffix", "subtype", "within"),
    [
        ("flac", "PCM_16", LOSSLESS),
        ("aiff", "PCM_24", LOSSLESS),
        ("caf", "ALAC_16", LOSSLESS),
        ("au", "PCM_16", LOSSLESS),
        ("w64", "PCM_16", LOSSLESS),
        ("rf64", "PCM_16", LOSSLESS),
        ("ogg", "VORBIS", LOSSY),
        ("ogg", "OPUS", LOSSY),
        ("mp3", "MPEG_LAYER_III", LOSSY),
    ],
)
def test_formats_of_libsndfile(tmp_path, suffix, subtype, within):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(48_000, 2, 2), 48_000, subtype)
    assert_is_tone(read(path), seconds=2, within=within)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("tone.m4a", "aac", 44_100),
        ("tone.mp4", "aac", 48_000),
        ("tone.mov", "pcm_s16le", 48_000),
        ("tone.mkv", "aac", 48_000),
        ("tone.webm", "libopus", 48_000),
        ("tone.aac", "aac", 44_100),
        ("tone.mp2", "mp2", 48_000),
        ("tone.3gp", "aac", 16_000),
    ],
)
def test_formats_of_libav(tmp_path, name, codec, rate):
    assert_is_tone(
        read(encode(tmp_path / name, codec, rate=rate, seconds=2)), seconds=2, within=0.1
    )


@pytest.mark.parametrize("name", ["tone.m4a", "tone.webm"])
def test_lossy_length(tmp_path, name):
    codec = "aac" if name.endswith("m4a") else "libopus"
    assert_is_tone(read(encode(tmp_path / name, codec)), within=LOSSY)


def test_an_mp3_is_not_garbled_between_pieces(tmp_path):
    """soundfile, read piece by piece, returns another signal than read at once."""
    path = tmp_path / "tone.mp3"
    soundfile.write(path, tone(seconds=3), 16_000)
    expected, _ = soundfile.read(path, dtype="float32")
    found = read(path).waveform
    assert found == pytest.approx(expected[: len(found)], abs=1e-3)


def test_a_stream_may_change_its_rate(tmp_path):
    parts = [encode(tmp_path / f"{rate}.aac", "aac", rate=rate) for rate in (44_100, 48_000)]
    both = tmp_path / "both.aac"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert_is_tone(read(both), seconds=2, within=0.1)


def test_floats_beyond_full_scale_are_kept(tmp_path):
    assert_is_tone(read(wav(tmp_path / "loud.wav", tone(amplitude=40.0))), amplitude=40)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("name", ["with space.wav", "quo'te\".wav", "line\nbreak.wav", "tone.raw"])
def test_names(tmp_path, name, text):
    path = tmp_path / name
    try:
        path.write_bytes(wav(tmp_path / "tone.wav").read_bytes())
    except OSError:
        pytest.skip("this file system refuses the name")
    audio = read(str(path) if text else path)
    assert_is_tone(audio)
    assert audio.source == str(path)


def test_a_name_that_is_not_utf8_becomes_printable(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    try:
        path.write_bytes(wav(tmp_path / "tone.wav").read_bytes())
    except OSError:
        pytest.skip("this file system refuses the name")
    assert read(path).source.encode().endswith(rb"caf\udce9.wav")
    path.write_bytes(b"")
    with pytest.raises(AudioError, match=r"caf\\udce9.wav is empty"):
        read(path)


def test_source_name():
    assert source_name("a/b.wav") == source_name(Path("a/b.wav")).replace("\\", "/") == "a/b.wav"
    assert source_name("-") == "<stdin>"
    assert source_name([0.0]) == "<array>"


def test_standard_input(tmp_path, monkeypatch):
    data = encode(tmp_path / "tone.m4a", "aac").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    audio = read("-")
    assert_is_tone(audio, within=LOSSY)
    assert audio.source == "<stdin>"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_named_pipe(tmp_path):
    pipe, data = tmp_path / "pipe", wav(tmp_path / "tone.wav").read_bytes()
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[data], daemon=True)
    writer.start()
    assert_is_tone(read(pipe))
    writer.join(timeout=5)


@pytest.mark.parametrize(
    "samples",
    [
        tone()[:, 0],
        tone()[:, 0].tolist(),
        tone(channels=2),
        tone(channels=6).T,
        tone().astype(np.float16),
        tone().astype(np.float64).T,
        (tone() * 32767).astype(np.int16),
        (tone() * 2**31).astype(np.int32),
        (tone() * 127).round().astype(np.int8),
        (tone() * 127 + 128).round().astype(np.uint8),
        (tone() * 32767 + 32768).astype(np.uint16),
    ],
    ids=lambda samples: f"{np.asarray(samples).dtype}-{np.shape(samples)}",
)
def test_arrays(samples):
    audio = read(samples, sampling_rate=16_000)
    assert_is_tone(audio)
    assert audio.source == "<array>"


def test_an_array_and_its_file_are_the_same(tmp_path):
    samples = (tone(44_100, 1.5, 2) * 32767).astype(np.int16)
    from_file = read(wav(tmp_path / "tone.wav", samples, 44_100, "PCM_16"))
    from_array = read(samples, sampling_rate=np.int64(44_100))
    assert np.array_equal(from_file.waveform, from_array.waveform)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 192_000])
def test_a_tenth_of_a_second_is_enough(rate):
    assert read(np.zeros(rate // 10), sampling_rate=rate).duration == 0.1


# Streaming


def test_ten_minutes_stream_in_little_memory(tmp_path):
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for _ in range(60):
            file.write(tone(seconds=10))
    tracemalloc.start()
    stream = blocks(path)
    lengths = [len(next(stream))]
    assert tracemalloc.get_traced_memory()[1] < 4e6
    lengths += [len(block) for block in stream]
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()
    assert sum(lengths) == 600 * 16_000
    assert len(lengths) == 59  # a block is 10 s and what remains of its last piece
    assert all(160_000 <= length < 165_000 for length in lengths[:-1])


def test_no_block_is_empty():
    assert [len(block) for block in blocks(np.zeros(40 * 4096), sampling_rate=16_000)] == [163_840]


def test_an_abandoned_stream_closes_its_file(tmp_path):
    path = wav(tmp_path / "tone.wav", tone(seconds=30))
    stream = blocks(path)
    next(stream)
    stream.close()
    path.unlink()  # Windows refuses while it is open


def test_libraries_are_imported_when_needed(tmp_path):
    code = (
        "import sys, voxplain.audio.read as r\n"
        "assert not {'av', 'soundfile', 'soxr'} & set(sys.modules)\n"
        f"r.read({str(wav(tmp_path / 'tone.wav'))!r})\n"
        "assert 'av' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


# What is wrong


def header(path, offset, value, width=4):
    data = bytearray(path.read_bytes())
    data[offset : offset + width] = value.to_bytes(width, "little")
    path.write_bytes(data)
    return path


def test_missing(tmp_path):
    with pytest.raises(AudioError, match=r"no\.wav: there is no such file; check the path"):
        read(tmp_path / "no.wav")


def test_folder(tmp_path):
    with pytest.raises(AudioError, match=f"{tmp_path.name} is a folder; give one of the files"):
        read(tmp_path)


def test_impossible_path():
    with pytest.raises(AudioError, match=r"can't be opened \(.*null.*\); check path"):
        read("a\0b.wav")


def test_permission(tmp_path, monkeypatch):
    path = wav(tmp_path / "locked.wav")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "No")))
    with pytest.raises(
        AudioError, match=r"locked\.wav can't be opened \(No\); check path and perm"
    ):
        read(path)


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")
def test_real_permission(tmp_path):
    path = wav(tmp_path / "locked.wav")
    path.chmod(0)
    with pytest.raises(AudioError, match=r"locked\.wav can't be opened \(Permission denied\)"):
        read(path)


def test_empty_file(tmp_path):
    (tmp_path / "zero.wav").touch()
    with pytest.raises(AudioError, match=r"zero\.wav is empty \(0 bytes\); record or copy"):
        read(tmp_path / "zero.wav")


@pytest.mark.parametrize("stdin", [None, io.StringIO("text")])
def test_standard_input_without_bytes(monkeypatch, stdin):
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(AudioError, match="<stdin> is not connected to bytes; pipe a file"):
        read("-")


def test_empty_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO()))
    with pytest.raises(AudioError, match="<stdin> is empty"):
        read("-")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.mp3", b"<!DOCTYPE html><title>404</title>" * 50),
        ("notes.wav", b"hello world\n" * 100),
        ("archive.zip", b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(range(256)) * 8),
        ("header.wav", b"RIFF\x46\xd8\x23\x00WAVEfmt \x10\x00\x00\x00\x01\x00"),
        ("half.ogg", b"OggS\x00\x02" + bytes(100)),
    ],
)
def test_not_audio(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(
        AudioError, match=f"{name} can't be decoded: .* begins with .*; copy it again"
    ):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["silent.mp4", "silent.mkv", "picture.png", "note.txt"])
def test_no_sound_in_it(tmp_path, name):
    path = tmp_path / name
    if name.startswith("silent"):
        film(path)
    elif name == "picture.png":
        film(path, "rgb24", "png")
    else:
        path.write_text("hello world\n" * 100)
    with pytest.raises(AudioError, match=f"{name} holds no audio .*; give a recording with sound"):
        read(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nreal.aac\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile real.aac\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=audio 5004 RTP/AVP 0\n"),
    ],
)
def test_a_playlist_opens_nothing(tmp_path, monkeypatch, name, text):
    monkeypatch.chdir(tmp_path)
    encode("real.aac", "aac")
    Path(name).write_text(text)
    with pytest.raises(AudioError, match=f"{name} can't be decoded"):
        read(name)


def test_unknown_codec(tmp_path):
    path = encode(tmp_path / "odd.mkv", "aac")
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    with pytest.raises(
        AudioError, match=r"odd.mkv can't be decoded beyond 0.0 s \(Decoder not found"
    ):
        read(path)


@pytest.mark.parametrize("lost", [0.4, 1.0])
def test_a_wav_of_a_crashed_recorder_is_read_as_far_as_it_goes(tmp_path, lost):
    path = wav(tmp_path / "crash.wav", tone(seconds=2), subtype="PCM_16")
    if lost == 1.0:  # all but the header was written
        header(header(path, 4, 36), 40, 0)
        assert_is_tone(read(path), seconds=2)
    else:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * (1 - lost))])
        assert_is_tone(read(path), seconds=1.2)


def test_a_flac_from_a_pipe_has_no_length(tmp_path):
    path = tmp_path / "tone.flac"
    soundfile.write(path, tone(seconds=2), 16_000)
    assert_is_tone(read(header(path, 22, 0)), seconds=2)


def test_a_disk_that_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"RIFF")))
    monkeypatch.setattr("shutil.copyfileobj", fail)
    with pytest.raises(AudioError, match=r"<stdin> can't be decoded beyond 0.0 s .*No space left"):
        read("-")


@pytest.mark.parametrize("name", ["cut.flac", "cut.m4a", "cut.mp4"])
def test_a_broken_stream_names_the_second(tmp_path, name):
    path = tmp_path / name
    if name == "cut.flac":
        noise = np.random.default_rng(0).normal(0, 0.1, 4 * 16_000)
        soundfile.write(path, noise, 16_000)
    else:
        encode(path, "aac", seconds=4, options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(
        AudioError, match=rf"{name} can't be decoded beyond (1\.[5-9]|2\.[0-2]) s .*ffmpeg"
    ):
        read(path)


def test_a_hole_is_not_read_over(tmp_path):
    path = tmp_path / "hole.opus"
    noise = np.random.default_rng(0).normal(0, 0.1, 8 * 48_000)
    soundfile.write(path, noise, 48_000, "OPUS", format="OGG")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(data)
    with pytest.raises(
        AudioError, match=r"hole.opus can't be decoded beyond \d\.\d s \(its header prom"
    ):
        read(path)


@pytest.mark.parametrize("rate", [1, 2**31 - 1])
def test_absurd_rate(tmp_path, rate):
    path = header(wav(tmp_path / "odd.wav", subtype="PCM_16"), 24, rate)
    with pytest.raises(AudioError, match=rf"odd.wav claims to have {rate} Hz; export it"):
        read(path)


@pytest.mark.parametrize(("offset", "width"), [(24, 4), (22, 2)], ids=["rate", "channels"])
def test_zero_in_the_header(tmp_path, offset, width):
    path = header(wav(tmp_path / "odd.wav", subtype="PCM_16"), offset, 0, width)
    with pytest.raises(AudioError, match=r"odd.wav (can't be decoded|holds no audio)"):
        read(path)


@pytest.mark.parametrize("shape", [(0,), (0, 2), (2, 0), (0, 0)])
def test_array_without_samples(shape):
    with pytest.raises(AudioError, match="<array> holds no samples; record"):
        read(np.zeros(shape), sampling_rate=16_000)


def test_file_without_samples(tmp_path):
    with pytest.raises(AudioError, match=r"none\.wav holds no samples; record"):
        read(wav(tmp_path / "none.wav", np.zeros(0)))


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_too_short(tmp_path, rate):
    path = wav(tmp_path / "blip.wav", tone(rate, 0.098), rate)
    with pytest.raises(TooShort, match=r"blip\.wav lasts 0\.098 s; give at least 0\.1 s"):
        read(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e39])
@pytest.mark.parametrize("in_file", [True, False])
def test_not_finite(tmp_path, value, in_file):
    samples = tone(seconds=2, channels=2)
    samples[24_000:, 1] = value
    source, rate = samples, 16_000
    if in_file:
        source, rate = wav(tmp_path / "bad.wav", samples, subtype="DOUBLE"), None
    with pytest.raises(AudioError, match=r"the sample at 1\.500 s is -?(nan|inf); replace samples"):
        read(source, sampling_rate=rate)


@pytest.mark.parametrize("rate", [None, 0, -16_000, 16, np.nan, "16000", True, 10**9])
def test_wrong_sampling_rate_of_an_array(rate):
    with pytest.raises(ConfigError, match=f"an array needs its sampling_rate in Hz.* got {rate!r}"):
        blocks(np.zeros(16_000), sampling_rate=rate)


def test_sampling_rate_of_a_file(tmp_path):
    with pytest.raises(ConfigError, match=r"tone\.wav has its own .* leave out sampling_rate=8000"):
        blocks(tmp_path / "tone.wav", sampling_rate=8_000)


@pytest.mark.parametrize(
    "source",
    [
        b"RIFF",
        bytearray(16_000),
        memoryview(bytes(16_000)),
        None,
        0.5,
        ["a", "b"],
        io.BytesIO(),
        np.zeros((2, 2, 16_000)),
        np.zeros(16_000, np.int64),
        np.zeros(16_000, complex),
        np.zeros(16_000, bool),
    ],
    ids=lambda source: type(source).__name__,
)
def test_not_samples(source):
    with pytest.raises(
        InputError, match=r"can't be read as audio; give a path, '-' .* or an array"
    ):
        blocks(source, sampling_rate=16_000)


def test_not_an_array():
    with pytest.raises(InputError, match="list can't become an array"):
        blocks([[1.0], [2.0, 3.0]], sampling_rate=16_000)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.m4a", "a.webm", "a.aac"])
def test_damage_never_leaks_or_prints(tmp_path, capfd, name):
    """Whatever is wrong with a file: an Audio or an AudioError, and a quiet terminal."""
    path = tmp_path / name
    if name in ("a.m4a", "a.aac"):
        encode(path, "aac")
    elif name == "a.webm":
        encode(path, "libopus")
    else:
        soundfile.write(path, tone(44_100, channels=2), 44_100)
    data, random = path.read_bytes(), np.random.default_rng(0)
    for place in random.integers(1, len(data), 8):
        noise = random.bytes(300)
        for damaged in (data[:place], data[place:], data[:place] + noise + data[place + 300 :]):
            path.write_bytes(damaged)
            with suppress(AudioError):
                assert np.isfinite(read(path).waveform).all()
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not BROKEN.is_dir(), reason=f"{BROKEN} is not there")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mono.empty.wav", r"mono\.empty\.wav is empty \(0 bytes\)"),
        ("mono.invalid.wav", r"mono\.invalid\.wav can't be decoded: it is damaged"),
        ("p001.flac", r"p001\.flac can't be decoded beyond 8\.9 s"),
    ],
)
def test_broken_files(name, message):
    with pytest.raises(AudioError, match=message):
        read(BROKEN / name)


# Folders


def test_find_files(tmp_path):
    wanted = ["a.wav", "b/A.MP3", "b/c/film.mp4", "z.Flac"]
    for name in [*wanted, "notes.txt", ".hidden.wav", ".git/x.wav", "b/._c.wav", "wav"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.wav").mkdir()
    assert find_files(tmp_path) == [tmp_path / name for name in wanted]


def test_find_no_files(tmp_path):
    with pytest.raises(
        AudioError, match=rf"no audio or video in the folder .*{tmp_path.name}.*wav"
    ):
        find_files(tmp_path)


def test_find_files_in_no_folder(tmp_path):
    with pytest.raises(AudioError, match=r"missing can't be listed \(No such file or directory\)"):
        find_files(tmp_path / "missing")


def test_promised_duration(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(44_100, 1.5), 44_100)
    assert promised_duration(tmp_path / "a.wav") == pytest.approx(1.5)
    (tmp_path / "b.wav").write_text("no audio")
    for path in ("-", tmp_path / "b.wav", tmp_path / "gone.wav", tmp_path):
        assert promised_duration(path) is None


def test_find_files_in_a_folder_that_is_closed(tmp_path, monkeypatch):
    def closed(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(AudioError, match=r"can't be listed \(Permission denied\); check"):
        find_files(tmp_path)
