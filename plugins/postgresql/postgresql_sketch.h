#pragma once

#include "plugins/api/plugin.h"

/// What `sluice template` and `sluice copy` ask of the PostgreSQL plugin.
namespace sluice::postgresql {

/// `postgresql://USER@HOST:PORT/DATABASE:TABLE`, also `postgres://` and with `jdbc:` before it.
std::optional<end_place> recognise(std::string_view text);

/// All columns of the table or view; `bad_option` with names near by where it is missing.
result<end_sketch> sketch_source(const end_place& where, const sketch_context& context,
                                 const stop_signal& stop);

/// The table's columns of the same names, or a table to be made. `bad_option` where it is a view, or has no
/// column for one of the source's.
result<end_sketch> sketch_target(const end_place& where, const schema& columns, const sketch_context& context,
                                 const stop_signal& stop);

}  // namespace sluice::postgresql
