using System.Globalization;
using System.Text;

namespace SendProxy.Compare;

/// <summary>Curves as SVG, drawn by gnuplot.</summary>
internal static class Plot
{
    public static async Task WriteAsync(Workshop shop, string file, string title, string x, string y, Dictionary<string, List<(double X, double Y)>> curves)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var script = new StringBuilder();
        script.AppendLine(CultureInfo.InvariantCulture, $"set terminal svg size 800,480 dynamic background 'white' font 'sans-serif,13'\nset output '{Path.GetFullPath(file)}'");
        script.AppendLine(CultureInfo.InvariantCulture, $"set title '{title}'\nset xlabel '{x}'\nset ylabel '{y}'\nset logscale xy\nset grid\nset key left top");
        var drawn = curves.Where(c => c.Value.Exists(p => p.Y > 0)).ToArray();
        foreach (var (curve, i) in drawn.Select((c, i) => (c, i)))
        {
            script.AppendLine(CultureInfo.InvariantCulture, $"$curve{i} << END");
            foreach (var (at, value) in curve.Value.Where(p => p.Y > 0))
            {
                script.AppendLine(CultureInfo.InvariantCulture, $"{at} {value}");
            }

            script.AppendLine("END");
        }

        script.AppendLine("plot " + string.Join(", ", drawn.Select((c, i) => $"$curve{i} using 1:2 with linespoints lw 2 title '{c.Key}'")));
        var source = Path.Combine(shop.Folder, Path.GetFileName(file) + ".gnuplot");
        await File.WriteAllTextAsync(source, script.ToString());
        using var gnuplot = shop.Start(Path.GetFileName(file), "gnuplot", source);
        await gnuplot.EndAsync();
        var said = await File.ReadAllTextAsync(gnuplot.Output);
        if (said.Length > 0)
        {
            Console.Error.WriteLine($"gnuplot: {said}");
        }
    }
}
