#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/moments.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "transport/record/zone.h"

/// Where the job's own SQL meets columns timestamptz: the zone of the session, which is the account's, the
/// database's or the server's unless the job sets it, decides which instants its times and days are.
namespace sluice::postgresql {

using relational::moment_text;

/// The names in `columns` with which `sql` computes or compares by the session's zone, in their order: it
/// holds a time without an offset, or makes days or texts of instants. None where it names a zone itself (AT
/// TIME ZONE).
std::vector<std::string> moments_in(std::string_view sql, moment_text what,
                                    const std::vector<std::string>& columns);

/// The table's columns that are timestamptz.
std::vector<std::string> moments_of(const table_info& table);

/// In which zone such a text is read, a sentence without its place.
struct moment_remark {
  std::string text;      ///< Empty: it is read by none.
  bool warning = false;  ///< The zone is neither the run's nor set by the job.
};
/// Of a text; asks the server for its zone. `run_zone`: nullptr where there is none to compare with.
result<moment_remark> remark_on_moments(connection& c, std::string_view sql, moment_text what,
                                        const std::vector<std::string>& columns, const time_zone* run_zone);
/// The same of a query, about the columns timestamptz of all tables that it names.
result<moment_remark> remark_on_moments_of_query(connection& c, std::string_view query,
                                                 const time_zone* run_zone);

}  // namespace sluice::postgresql
