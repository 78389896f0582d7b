/* Memory that only the start of the process needed goes back to the system. */
#ifndef LIFELINE_GIVE_BACK_H
#define LIFELINE_GIVE_BACK_H

#include "napi.h"

/* JS: giveBack(). Costs about a millisecond now, and a minor fault for each page of code that is needed again. */
napi_value js_give_back(napi_env env, napi_callback_info info);

#endif
