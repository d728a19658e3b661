{
  "targets": [
    {
      "target_name": "earshot_audio",
      "sources": [
        "addon.c",
        "addon_values.c",
        "capture.c",
        "capture_device.c",
        "convert.c",
        "device_list.c",
        "encoder.c",
        "framer.c",
        "hotplug.c",
        "levels.c",
        "packet_queue.c",
        "pcm.c",
        "stream.c",
        "timeline.c"
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
