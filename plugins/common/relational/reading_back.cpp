#include "plugins/common/relational/reading_back.h"

namespace sluice::relational {

read_back reading_back(const std::vector<std::string>& columns, write_mode mode) {
  read_back out;
  out.takes_where = true;
  out.changes = {{"column", columns},     {"preSql", nullptr},   {"postSql", nullptr},
                 {"writeMode", nullptr},  {"querySql", nullptr}, {"where", nullptr},
                 {"splitPk", nullptr},    {"splitMode", "auto"}, {"useReadOnly", false},
                 {"checkSlave", nullptr}, {"snapshot", nullptr}};
  switch (mode) {
    case write_mode::insert:
    case write_mode::copy:
      out.rows = read_back::standing::every_record;
      break;
    case write_mode::update:
    case write_mode::replace:
      out.rows = read_back::standing::last_a_key;
      break;
    case write_mode::ignore:
      out.rows = read_back::standing::any_a_key;
      break;
  }
  return out;
}

}  // namespace sluice::relational
