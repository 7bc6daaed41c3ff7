#include <sqlite3.h>

#include <array>
#include <cerrno>

#include "transport/base/sqlite.h"

namespace sluice::sqlite {
namespace {

using enum error_kind;

constexpr std::string_view no_rights = "check the rights of the file and of its folder";
constexpr std::string_view damaged =
    "the file is damaged: check it with PRAGMA integrity_check and restore a copy";
constexpr std::string_view make_room = "make room on the disk, then run the same command again";
constexpr std::string_view locked = "another connection holds a lock: end it, or raise busyTimeout";
constexpr std::string_view disk_fails = "the disk or file system fails: see the system's log";

/// https://sqlite.org/rescode.html. Sorted by nothing; an extended code without a row takes its primary's.
constexpr auto meanings = std::to_array<code_meaning>({
    // The row at hand is to blame.
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", bad_row, ""},
    {SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK", bad_row, ""},
    {SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY", bad_row, ""},
    {SQLITE_CONSTRAINT_FUNCTION, "SQLITE_CONSTRAINT_FUNCTION", bad_row, ""},
    {SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL", bad_row, ""},
    {SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY", bad_row, ""},
    {SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER", bad_row, ""},
    {SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE", bad_row, ""},
    {SQLITE_CONSTRAINT_VTAB, "SQLITE_CONSTRAINT_VTAB", bad_row, ""},
    {SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID", bad_row, ""},
    {SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE", bad_row, ""},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH", bad_row, ""},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG", bad_row, "SQLite holds values of at most 1,000,000,000 bytes"},
    // Somebody else is at the file.
    {SQLITE_BUSY, "SQLITE_BUSY", busy, locked},
    {SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY", busy, locked},
    {SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT", busy, locked},
    {SQLITE_BUSY_TIMEOUT, "SQLITE_BUSY_TIMEOUT", busy, locked},
    {SQLITE_LOCKED, "SQLITE_LOCKED", busy, locked},
    {SQLITE_LOCKED_SHAREDCACHE, "SQLITE_LOCKED_SHAREDCACHE", busy, locked},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL", busy, locked},
    // Rights.
    {SQLITE_READONLY, "SQLITE_READONLY", denied, no_rights},
    {SQLITE_READONLY_CANTINIT, "SQLITE_READONLY_CANTINIT", denied, no_rights},
    {SQLITE_READONLY_CANTLOCK, "SQLITE_READONLY_CANTLOCK", denied, no_rights},
    {SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED", source_changed,
     "the file was moved or removed while it was open: put it back"},
    {SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY", denied,
     "the folder must be writable for SQLite's journal"},
    {SQLITE_READONLY_RECOVERY, "SQLITE_READONLY_RECOVERY", denied, no_rights},
    {SQLITE_READONLY_ROLLBACK, "SQLITE_READONLY_ROLLBACK", denied,
     "a crashed process left a journal that must be rolled back: open the file once with write access"},
    {SQLITE_PERM, "SQLITE_PERM", denied, no_rights},
    {SQLITE_AUTH, "SQLITE_AUTH", denied, no_rights},
    {SQLITE_AUTH_USER, "SQLITE_AUTH_USER", denied, no_rights},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN", denied, no_rights},
    {SQLITE_CANTOPEN_ISDIR, "SQLITE_CANTOPEN_ISDIR", denied, "the path is a folder: name a file"},
    {SQLITE_NOLFS, "SQLITE_NOLFS", no_room, "the file system does not bear a file of this size"},
    // Room.
    {SQLITE_FULL, "SQLITE_FULL", no_room, make_room},
    {SQLITE_NOMEM, "SQLITE_NOMEM", no_room, "the process has no memory left: lower --memory or give it more"},
    {SQLITE_IOERR_NOMEM, "SQLITE_IOERR_NOMEM", no_room,
     "the process has no memory left: lower --memory or give it more"},
    // The file is not what it was.
    {SQLITE_CORRUPT, "SQLITE_CORRUPT", source_changed, damaged},
    {SQLITE_CORRUPT_VTAB, "SQLITE_CORRUPT_VTAB", source_changed, damaged},
    {SQLITE_CORRUPT_INDEX, "SQLITE_CORRUPT_INDEX", source_changed, damaged},
    {SQLITE_NOTADB, "SQLITE_NOTADB", source_changed,
     "it is no SQLite database, or an encrypted one: name another file"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA", source_changed,
     "the table was changed while it was in use: run the same command again"},
    {SQLITE_IOERR, "SQLITE_IOERR", source_changed, disk_fails},
    {SQLITE_IOERR_READ, "SQLITE_IOERR_READ", source_changed, disk_fails},
    {SQLITE_IOERR_SHORT_READ, "SQLITE_IOERR_SHORT_READ", source_changed, disk_fails},
    {SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE", source_changed, disk_fails},
    {SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC", source_changed, disk_fails},
    {SQLITE_IOERR_DIR_FSYNC, "SQLITE_IOERR_DIR_FSYNC", source_changed, disk_fails},
    {SQLITE_IOERR_TRUNCATE, "SQLITE_IOERR_TRUNCATE", source_changed, disk_fails},
    {SQLITE_IOERR_SHMOPEN, "SQLITE_IOERR_SHMOPEN", denied, no_rights},
    {SQLITE_IOERR_DELETE_NOENT, "SQLITE_IOERR_DELETE_NOENT", source_changed,
     "the journal was removed while it was in use"},
    // The statement is to blame.
    {SQLITE_ERROR, "SQLITE_ERROR", bad_option, ""},
    {SQLITE_RANGE, "SQLITE_RANGE", internal, ""},
    {SQLITE_MISUSE, "SQLITE_MISUSE", internal, ""},
    {SQLITE_INTERNAL, "SQLITE_INTERNAL", internal, ""},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT", cancelled, ""},
    {SQLITE_ABORT, "SQLITE_ABORT", cancelled, ""},
    {SQLITE_ABORT_ROLLBACK, "SQLITE_ABORT_ROLLBACK", cancelled, ""},
});

const code_meaning* find(int code) {
  for (const code_meaning& m : meanings) {
    if (m.code == code) {
      return &m;
    }
  }
  return nullptr;
}

}  // namespace

code_meaning meaning_of(int extended_code, int system_error) {
  const code_meaning* found = find(extended_code);
  if (found == nullptr) {
    found = find(extended_code & 0xFF);
  }
  code_meaning m = found != nullptr ? *found : code_meaning{extended_code, "SQLITE_UNKNOWN", internal, ""};
  m.code = extended_code;
  const bool io = (extended_code & 0xFF) == SQLITE_IOERR || (extended_code & 0xFF) == SQLITE_CANTOPEN;
  if (io && (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG)) {
    m.kind = no_room;
    m.advice = make_room;
  }
  return m;
}

std::string_view to_string(storage s) {
  constexpr std::array<std::string_view, 5> names = {"INTEGER", "REAL", "TEXT", "BLOB", "NULL"};
  return names[static_cast<std::size_t>(s)];
}

}  // namespace sluice::sqlite
