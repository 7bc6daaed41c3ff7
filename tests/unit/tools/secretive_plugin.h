#pragma once

#include <functional>
#include <string>

#include "plugins/api/plugin.h"

namespace sluice::testing {

/// The server of `secretive_plugin`, one a process. It takes the password that is current, tells a wrong one
/// in its refusal, as bad servers do, and may change it after each login.
struct secretive_server {
  std::string password;
  int logins = 0;
  std::function<void()> after_login;
};
secretive_server& server();

/// A reader of numbers in four splits, with the name and the options of the type `mysql` of data sources. It
/// logs in with `password` in `source::open` and in each `reader::open`, and where a template looks at a
/// table through its data source.
plugin secretive_plugin();

}  // namespace sluice::testing
