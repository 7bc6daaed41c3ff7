#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What can be seen of a job's statements without running them.
namespace sluice::sqlite {

/// The tokens of each statement of a text, comments left out: words, quoted names and texts with their
/// quotes, single other characters.
std::vector<std::vector<std::string>> statements_of(std::string_view sql);

/// Whether one of the statements removes all rows of the table: DELETE without WHERE, or DROP TABLE. False
/// where it cannot be seen (a trigger, a condition that is always true).
bool empties_table(std::string_view sql, std::string_view table);

/// Whether one of the statements makes a table of that name: CREATE TABLE, or ALTER TABLE … RENAME TO.
bool makes_table(std::string_view sql, std::string_view table);
/// Whether one of them takes it away: DROP TABLE, or ALTER TABLE … RENAME TO another name.
bool drops_table(std::string_view sql, std::string_view table);

}  // namespace sluice::sqlite
