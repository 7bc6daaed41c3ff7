#pragma once

#include "plugins/common/relational/url_properties.h"

namespace sluice::mysql {

/// Addresses of MySQL and MariaDB and what each property that their drivers know does here: Connector/J 5.1
/// to 8.4 (https://dev.mysql.com/doc/connector-j/en/connector-j-reference-configuration-properties.html) and
/// MariaDB Connector/J 2 and 3 (https://mariadb.com/docs/connectors/mariadb-connector-j). Static lifetime.
const relational::url_dialect& url_dialect();

}  // namespace sluice::mysql
