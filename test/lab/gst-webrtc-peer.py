"""GStreamer's webrtcbin as a peer to compare with: ALSA -> Opus -> WebRTC, with --receive the way back,
with --screen a screen -> VP8 -> WebRTC.

Speaks JSON, one object a line. Out: {"type":"offer","sdp"}, {"type":"candidate","candidate","mline"},
{"type":"state","state"}, {"type":"error","message"}. In: {"type":"answer","sdp"},
{"type":"candidate","candidate","mline"}. Ends when its input does.
"""

import argparse
import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SENDING = """
webrtcbin name=peer bundle-policy=max-bundle latency=0
alsasrc device={device} buffer-time=20000 latency-time=5000
 ! audio/x-raw,format=S16LE,rate=48000,channels=2
 ! opusenc bitrate={bitrate} frame-size={frame} complexity={complexity}
   audio-type={audio_type} bitrate-type={bitrate_type}
 ! rtpopuspay pt=111
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111
 ! peer.
"""

SHOWING = """
webrtcbin name=peer bundle-policy=max-bundle latency=0
ximagesrc display-name={screen} use-damage=0 ! video/x-raw,framerate={frame_rate}/1 ! videoconvert
 ! vp8enc deadline=1 cpu-used={cpu_used} threads={threads} lag-in-frames=0 end-usage=cbr error-resilient=default
   keyframe-max-dist=1000000 static-threshold=1 min-quantizer=4 max-quantizer=56 undershoot=100 overshoot=15
   buffer-size=1000 buffer-initial-size=500 buffer-optimal-size=600 target-bitrate={bitrate}
 ! rtpvp8pay pt=96 picture-id-mode=15-bit
 ! application/x-rtp,media=video,encoding-name=VP8,payload=96
 ! peer.
"""

RECEIVING = "webrtcbin name=peer bundle-policy=max-bundle latency={latency}"

PLAYING = """
rtpopusdepay ! opusdec use-inband-fec=true plc=true ! audioconvert ! audioresample
 ! alsasink device={device} buffer-time={buffer_time} latency-time={latency_time} sync={sync}
"""

MICROPHONE = """
application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2
"""


def say(**message):
    print(json.dumps(message), flush=True)


class Peer:
    def __init__(self, options):
        self.options = options
        self.has_offered = False
        self.loop = GLib.MainLoop()
        # A pipeline of its own, since a description of one element alone makes just that element.
        description = RECEIVING if options.receive else SHOWING if options.screen else SENDING
        self.pipeline = Gst.parse_launch("pipeline. ( " + description.format(**vars(options)) + " )")
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-negotiation-needed", self.offer)
        self.peer.connect("on-ice-candidate", self.candidate_found)
        self.peer.connect("notify::connection-state", self.state_changed)
        if options.receive:
            self.peer.connect("pad-added", self.play)
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(MICROPHONE.strip()))
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.failed)

    def play(self, _peer, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        player = Gst.parse_bin_from_description(PLAYING.format(**vars(self.options)), True)
        self.pipeline.add(player)
        player.sync_state_with_parent()
        pad.link(player.get_static_pad("sink"))

    def offer(self, peer):
        # A peer that only receives asks for a negotiation again and again.
        if self.has_offered:
            return
        self.has_offered = True
        if not self.options.receive:
            transceiver = peer.emit("get-transceiver", 0)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise):
        promise.wait()
        # The reply owns the offer: it has to outlive it.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        say(type="offer", sdp=offer.sdp.as_text())

    def candidate_found(self, _peer, mline, candidate):
        say(type="candidate", candidate=candidate, mline=mline)

    def state_changed(self, peer, _property):
        say(type="state", state=peer.get_property("connection-state").value_nick)

    def failed(self, _bus, message):
        error, _debug = message.parse_error()
        say(type="error", message=error.message)
        self.loop.quit()

    def receive(self, message):
        if message["type"] == "answer":
            _result, sdp = GstSdp.SDPMessage.new_from_text(message["sdp"])
            answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
            self.peer.emit("set-remote-description", answer, Gst.Promise.new())
        elif message["type"] == "candidate":
            self.peer.emit("add-ice-candidate", message["mline"], message["candidate"])
        return GLib.SOURCE_REMOVE

    def read_input(self):
        for line in sys.stdin:
            GLib.idle_add(self.receive, json.loads(line))
        GLib.idle_add(self.loop.quit)

    def run(self):
        threading.Thread(target=self.read_input, daemon=True).start()
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)


def main():
    parser = argparse.ArgumentParser()
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--device", help="ALSA PCM")
    source.add_argument("--screen", help="X display")
    parser.add_argument("--frame-rate", type=int, default=30)
    parser.add_argument("--cpu-used", type=int, default=-8, help="speed of the picture's encoder")
    parser.add_argument("--threads", type=int, default=1, help="of the picture's encoder")
    parser.add_argument("--bitrate", type=int, default=128000)
    parser.add_argument("--frame", type=int, choices=[5, 10, 20, 40], default=10)
    parser.add_argument("--complexity", type=int, default=10)
    parser.add_argument("--audio-type", default="generic")
    parser.add_argument("--bitrate-type", default="constrained-vbr")
    parser.add_argument("--receive", action="store_true")
    parser.add_argument("--latency", type=int, default=0, help="of the jitter buffer, ms")
    parser.add_argument("--buffer-time", type=int, default=20000, help="of the sound card, us")
    parser.add_argument("--latency-time", type=int, default=5000, help="of the sound card, us")
    parser.add_argument("--sync", choices=["true", "false"], default="true")
    options = parser.parse_args()
    Gst.init(None)
    Peer(options).run()


main()
