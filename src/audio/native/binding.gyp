{
  "targets": [
    {
      "target_name": "earshot_audio",
      "sources": [
        "addon.c",
        "addon_capture.c",
        "addon_decoder.c",
        "addon_encoder.c",
        "addon_handle.c",
        "addon_playback.c",
        "addon_values.c",
        "capture.c",
        "capture_device.c",
        "convert.c",
        "decoder.c",
        "delay_line.c",
        "device_list.c",
        "drift_resampler.c",
        "encoder.c",
        "fade.c",
        "framer.c",
        "hotplug.c",
        "interleave.c",
        "levels.c",
        "pace.c",
        "packet_queue.c",
        "pcm.c",
        "playback.c",
        "playback_device.c",
        "player.c",
        "sound_device.c",
        "source.c",
        "stream.c",
        "timeline.c",
        "worker.c"
      ],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags!": ["-fno-omit-frame-pointer"],
      "cflags": [
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-error=deprecated-declarations",
        "-Wshadow",
        "-Wstrict-prototypes",
        "-Wdouble-promotion",
        "-fvisibility=hidden"
      ],
      "libraries": ["-lasound", "-lopus", "-lspeexdsp", "-lpthread", "-lm", "-ldl"]
    }
  ]
}
