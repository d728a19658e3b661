{
  "targets": [
    {
      "target_name": "earshot_video",
      "sources": [
        "addon.c",
        "device_release.c",
        "device_signal.c",
        "device_watch.c",
        "encode_times.c",
        "engine.c",
        "engine_thread.c",
        "event_queue.c",
        "flow.c",
        "handle.c",
        "rate_limit.c",
        "unit_queue.c",
        "values.c"
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
        "-fvisibility=hidden",
        "<!@(${PKG_CONFIG:-pkg-config} --cflags gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0)"
      ],
      "libraries": [
        "<!@(${PKG_CONFIG:-pkg-config} --libs gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0)",
        "-lpthread",
        "-ldl"
      ]
    }
  ]
}
