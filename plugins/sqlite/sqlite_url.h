#pragma once

#include "plugins/common/relational/url_properties.h"

namespace sluice::sqlite {

/// Addresses of SQLite files and what each property does here: those of the driver of Xerial, sqlite-jdbc
/// (https://github.com/xerial/sqlite-jdbc, SQLiteConfig), and those of SQLite's own `file:` addresses
/// (https://sqlite.org/uri.html). A setting of the session is a PRAGMA. Static lifetime.
const relational::url_dialect& url_dialect();

}  // namespace sluice::sqlite
