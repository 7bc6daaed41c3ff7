#pragma once

#include "plugins/api/plugin.h"

/// What `sluice template` and `sluice copy` ask of the SQLite plugin.
namespace sluice::sqlite {

/// `sqlite:PATH:TABLE`, or `PATH:TABLE` where the path ends like a SQLite file or is one.
std::optional<end_place> recognise(std::string_view text);

/// The table `rest` of the file that the data source names.
result<end_place> place_in(end_datasource source, std::string_view rest);

/// All columns of the table or view; `bad_option` with the tables there are where it is not one of them.
result<end_sketch> sketch_source(const end_place& where, const sketch_context& context,
                                 const stop_signal& stop);

/// The table's columns of the same names, or a table to be made. `bad_option` where a table is there that has
/// no column for one of the source's.
result<end_sketch> sketch_target(const end_place& where, const schema& columns, const sketch_context& context,
                                 const stop_signal& stop);

}  // namespace sluice::sqlite
