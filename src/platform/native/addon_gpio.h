#ifndef EARSHOT_PLATFORM_ADDON_GPIO_H
#define EARSHOT_PLATFORM_ADDON_GPIO_H

#include <node_api.h>

/* Adds the functions of GPIO to what the addon offers. */
void export_gpio(napi_env env, napi_value exports);

#endif
