"""Certificates that the test servers show: one authority, a server's and a client's certificate, and an authority that
signed none of them."""

import shutil
import subprocess
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
DAYS = "30"


class Certificates:
    """Files in one folder, readable by all: test keys guard nothing."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.authority("ca")
        self.authority("other_ca")
        self.signed("server", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        # What a server shows that is not the one that was asked for.
        self.signed("misnamed", "db.example", "subjectAltName=DNS:db.example")
        self.signed("client", "certified", "extendedKeyUsage=clientAuth")

    def path(self, name):
        return self.folder / name

    def copy(self, name, to, mode=0o644):
        shutil.copyfile(self.path(name), to)
        Path(to).chmod(mode)

    def authority(self, name):
        self.openssl("req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", DAYS, "-subj", f"/CN=test {name}")

    def signed(self, name, common_name, extension):
        self.path(f"{name}.ext").write_text(extension + "\n", encoding="utf-8")
        self.openssl("req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common_name}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS,
                     "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def openssl(self, *argv):
        subprocess.run(["openssl", *argv], cwd=self.folder, check=True, capture_output=True, timeout=60)
