{
  "targets": [
    {
      "target_name": "earshot_platform",
      "sources": ["addon.c", "addon_gpio.c", "gpio.c", "values.c", "watch.c"],
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
        "-fvisibility=hidden"
      ]
    }
  ]
}
