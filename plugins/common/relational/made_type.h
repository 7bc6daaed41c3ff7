#pragma once

#include <string>
#include <string_view>

#include "plugins/api/table_facts.h"
#include "transport/record/schema.h"

/// Types of columns that `createTable` makes after those of another database.
namespace sluice::relational {

/// The type that a column is made with.
struct made_type {
  std::string sql;  ///< As CREATE TABLE has it.
  /// What of the source's type it does not keep, a clause with a verb; empty where nothing is lost.
  std::string lost = {};
};

/// A column of the source in its own product's words.
struct source_type {
  std::string_view product;   ///< Empty where it is no database.
  std::string_view own_type;  ///< `table_facts::column::own_type`; may be empty.
  const field& column;

  /// MySQL or MariaDB.
  [[nodiscard]] bool of_mysql() const { return product == "mysql" || product == "mariadb"; }
  /// `bigint(20) unsigned`: the own type, else what the reader calls it.
  [[nodiscard]] std::string_view name() const {
    return own_type.empty() ? std::string_view(column.source_type_name) : own_type;
  }
  /// The type's name without lengths and what follows a character set: `timestamp without time zone` of
  /// `timestamp(3) without time zone`, `bigint unsigned` of `bigint(20) unsigned`. Small letters but in
  /// quotes.
  [[nodiscard]] std::string words() const;
};
source_type type_at(const schema& columns, const table_facts* facts, std::size_t index);

/// What a type says of its values beyond what Sluice's own types do: `that it is JSON`. Empty where nothing.
std::string meaning_of(const source_type& from);

/// The column made as `sql`, which keeps none of what the source's type means.
made_type without_meaning(const source_type& from, std::string sql);

}  // namespace sluice::relational
