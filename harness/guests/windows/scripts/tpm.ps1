# Given: a raw command in base64. Its response in base64, from the TPM through TPM Base Services.
Add-Type @'
using System;
using System.Runtime.InteropServices;
public static class Tbs {
    [StructLayout(LayoutKind.Sequential)]
    struct Context { public uint Version; public uint Flags; }
    [DllImport("tbs.dll")]
    static extern uint Tbsi_Context_Create(ref Context wanted, out IntPtr context);
    [DllImport("tbs.dll")]
    static extern uint Tbsip_Submit_Command(IntPtr context, uint locality, uint priority,
        byte[] command, uint size, byte[] answer, ref uint length);
    [DllImport("tbs.dll")]
    static extern uint Tbsip_Context_Close(IntPtr context);
    static void Check(uint status) {
        if (status != 0) { throw new Exception("TPM Base Services: 0x" + status.ToString("x8")); }
    }
    public static byte[] Exchange(byte[] command) {
        Context wanted = new Context();
        wanted.Version = 2;
        wanted.Flags = 4;
        IntPtr context;
        Check(Tbsi_Context_Create(ref wanted, out context));
        byte[] answer = new byte[4096];
        uint length = (uint)answer.Length;
        uint status = Tbsip_Submit_Command(
            context, 0, 200, command, (uint)command.Length, answer, ref length);
        Tbsip_Context_Close(context);
        Check(status);
        Array.Resize(ref answer, (int)length);
        return answer;
    }
}
'@
[Convert]::ToBase64String([Tbs]::Exchange([Convert]::FromBase64String($given[0])))
