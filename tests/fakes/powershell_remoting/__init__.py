"""A Windows host's remoting for tests: WinRM over real HTTPS, and PowerShell as a test scripts it.

A test brings a `ScriptedShell` (`script.py`) and talks to it with the real pypsrp client:

    class Host:
        def run(self, script, parameters, pipeline_input):
            if parameters["Name"] != "vm-1":
                return Reply(failure=ErrorRecord("no such machine", ErrorCategory.OBJECT_NOT_FOUND))
            return Reply(output=['{"State": "Running"}'])

    with serving(Host(), tmp_path) as server:
        connection = WSMan(
            server.host, port=server.port, auth="basic", username=USER, password=PASSWORD,
            cert_validation=str(server.certificate.path), no_proxy=True,
        )

The contract of the callback: `run` is called once for each pipeline, when its input has ended, on
one of the server's threads; two clients, or a pool of several runspaces, call it at the same time,
so it locks what it shares. `script` is the text of the one command, `parameters` its named
parameters as pypsrp reads them (a switch is None, a SecureString is text), `pipeline_input` what
was piped in. It returns a `Reply`, and it must return: closing the server waits for it. What it
raises is no error of PowerShell but of the test: the client gets a fault, and closing raises it
again. A pipeline of several commands and parameters by position are not spoken: the connection
ends, and closing says why. Operations that are not spoken, as disconnecting a shell, get a fault.

`server.faults` breaks what a test orders (`faults.py`); `self_signed` makes bad certificates too
(`certificates.py`). `serving` ends with no thread left.
"""
