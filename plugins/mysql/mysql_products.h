#pragma once

#include <string_view>

#include "plugins/mysql/mysql_connection.h"

/// What answers at an address, by what it says of itself: jobs call products by names that say nothing of it.
namespace sluice::mysql {

/// A product that only speaks MySQL's protocol.
struct other_product {
  std::string_view mark;  ///< Stands in its version or `@@version_comment`, in any case.
  std::string_view name;
  /// Rows and marks are committed and taken back together, and up to a savepoint, as in InnoDB.
  bool keeps_marks = false;
  std::string_view instead = {};  ///< Without: how rows are written there.
};

/// The row of the table of such products; nullptr: a MariaDB or MySQL.
const other_product* other_product_of(std::string_view version, std::string_view comment);

/// `other` where there is such a row, whatever name the job calls the server by.
server_product product_of(std::string_view version, std::string_view comment, bool mariadb);

/// The product that stands between by what it says, or `a proxy`.
std::string_view proxy_of(std::string_view version, std::string_view comment);

}  // namespace sluice::mysql
