#pragma once

#include "plugins/api/plugin.h"

namespace sluice {

/// Tables of MariaDB and MySQL databases (https://mariadb.com/kb/en/, https://dev.mysql.com/doc/).
plugin mysql_plugin();

}  // namespace sluice
