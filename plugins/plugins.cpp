#include "plugins/api/plugin.h"
#include "plugins/mysql/mysql_plugin.h"
#include "plugins/postgresql/postgresql_plugin.h"
#include "plugins/sqlite/sqlite_plugin.h"
#include "plugins/stream/stream_plugin.h"
#include "plugins/text/text_plugin.h"

namespace sluice {

// The one list of plugins: a new one is an include, a line here and a library in plugins/CMakeLists.txt.
const std::vector<plugin>& all_plugins() {
  static const std::vector<plugin> plugins = {
      stream_plugin(), text_plugin(), sqlite_plugin(), mysql_plugin(), postgresql_plugin(),
  };
  return plugins;
}

}  // namespace sluice
